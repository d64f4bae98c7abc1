"""Fuzz for some minutes: `make fuzz MINUTES=10`, or `python tests/fuzz/fuzz.py --minutes 10 template ingest`.

Each promise (promises.py) gets its share of the time in a process of its own, since libFuzzer ends the process that breaks one. It begins
with the seeds under `corpus/` and with what earlier runs found worth keeping under `build/fuzz/`. What broke a promise is left there as
`<promise>-crash-…` (or `timeout-…`, `oom-…`); it becomes a test and, smaller, a seed.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "fuzz"
LONGEST = {"ingest": 4_000, "document": 4_000, "rule": 4_000, "template": 2_000, "unpack": 8_000, "sdk": 3_000}
"""Bytes of an input; 1,000 for the others."""
WITHIN = 20
"""Seconds for one input: an instrumented program is about five times slower than oncue."""
INSTRUMENTED = [
    "oncue.adaptors",
    "oncue.core",
    "oncue.ingest",
    "oncue.rules",
    "oncue.store.imports",
    "oncue.store.optouts",
    "liquid",
    "phonenumbers",
    "yaml",
]


def main() -> int:
    """Run all that were asked for in turn; 1 if a promise was broken."""
    asked = argparse.ArgumentParser(description="Fuzz what reads what others write.")
    asked.add_argument("--minutes", type=float, default=10, help="for all of them together")
    asked.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked.add_argument("names", nargs="*")
    given, rest = asked.parse_known_args()
    if given.one:
        return fuzz(given.names[0], [*given.names[1:], *rest])
    seeds = sorted(path.name for path in (HERE / "corpus").iterdir())
    names = given.names or seeds
    broken = [name for name in names if not run(name, int(given.minutes * 60 / len(names)))]
    print(f"Broken: {', '.join(broken)}; see {BUILD}." if broken else "No promise was broken.")
    return 1 if broken else 0


def run(name: str, seconds: int) -> bool:
    """One promise, for so long. Whether it held."""
    kept = BUILD / name
    kept.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, "--one", name, str(kept), str(HERE / "corpus" / name)]
    options = [
        f"-max_total_time={max(1, seconds)}", f"-max_len={LONGEST.get(name, 1_000)}", f"-timeout={WITHIN}",
        "-rss_limit_mb=1500", f"-artifact_prefix={BUILD}/{name}-", "-print_final_stats=1", "-verbosity=1",
    ]  # fmt: skip
    log = BUILD / f"{name}.log"
    with log.open("wb") as file:
        code = subprocess.run([*command, *options], stdout=file, stderr=file, check=False).returncode
    text = log.read_text(errors="replace")
    executed = text.rpartition("stat::number_of_executed_units:")[2].split()[:1]
    print(
        f"{name}: {executed[0] if executed else '?'} inputs in {seconds} s, {'held' if code == 0 else 'BROKEN'}",
        flush=True,
    )
    if code:
        print(text[-3_000:])
    return code == 0


def fuzz(name: str, options: list[str]) -> int:
    """In a process of its own: never returns but by libFuzzer."""
    import atheris

    sys.path.insert(0, str(HERE.parent))
    with atheris.instrument_imports(include=INSTRUMENTED):
        import promises
        from words import WORDS

    logging.disable()  # a refusal is logged, and so would be each of millions
    words = BUILD / f"{name}.dict"
    lines = ["".join(f"\\x{byte:02X}" for byte in word.encode()) for word in WORDS.get(name, [])]
    words.write_text("".join(f'"{line}"\n' for line in lines))
    dictionary = [f"-dict={words}"] if lines else []
    atheris.Setup([sys.argv[0], *options, *dictionary], promises.PROMISES[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
