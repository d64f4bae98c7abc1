"""`make audit`: has any of the packages in `constraints.txt` a known vulnerability? Asks PyPI by pip-audit and, if that cannot say, OSV.

pip-audit passes over what it cannot ask about and calls the rest free of vulnerabilities, even where the rest is nothing (a mirror of PyPI
serves packages, but no reports). So its answer is read here: exit 1 if there is one, and a line that says so where nobody could be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PINS = Path(__file__).parents[1] / "constraints.txt"
SERVICES = ("pypi", "osv")


def main() -> int:
    """Ask; the exit code."""
    for service in SERVICES:
        found, unasked = ask(service)
        if found or not unasked:
            break
    total = sum(bool(line.strip()) for line in PINS.read_text().splitlines())
    for line in found:
        print(line)
    if unasked:
        print(
            f"COULD NOT ASK whether {unasked} of {total} packages have known vulnerabilities: no service answers from here."
        )
    if not found and not unasked:
        print(f"None of {total} packages has a known vulnerability, says {service}.")
    return 1 if found else 0


def ask(service: str) -> tuple[list[str], int]:
    """(a line for each vulnerability, how many packages could not be asked about)."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(PINS), "--no-deps", "--disable-pip"]
    more = ["--format", "json", "--progress-spinner", "off", "--timeout", "10", "--vulnerability-service", service]
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
    return judge(done.stdout)


def judge(said: str) -> tuple[list[str], int]:
    """What pip-audit's JSON comes to. Where it gave up there is none, and nothing was asked."""
    try:
        packages: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        return [], sum(bool(line.strip()) for line in PINS.read_text().splitlines())
    found = [
        f"{one['name']} {one['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'no version yet'}."
        for one in packages
        for known in one.get("vulns", [])
    ]
    return found, sum("skip_reason" in one for one in packages)


if __name__ == "__main__":
    sys.exit(main())
