"""`make sbom`: what oncue consists of, as CycloneDX: its dependencies and theirs, with versions and licences, as they are installed here.

Looked at is a virtual environment that holds these and nothing else: no tool of the developers', and no path of this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(target: Path) -> None:
    """Write it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    place = ROOT / "build" / "sbom"
    venv.create(place, clear=True, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install", "--quiet"]
    limits = ["--disable-pip-version-check", "--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, *limits, *project["dependencies"]], check=True)
    how = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--output-file", str(target)]
    subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", *how, str(place / "bin" / "python")], check=True
    )
    components = json.loads(target.read_text())["components"]
    print(f"{target.relative_to(ROOT)}: oncue {project['version']} and {len(components)} components")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
