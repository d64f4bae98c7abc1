"""Is the database file sound? For `oncue doctor`: it opens the file read-only, so that it may look while oncue runs and changes nothing.

Reading a large file keeps the log from being emptied for as long as one statement runs, so the look is cut off unless it is asked to be deep.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from oncue.core import clock
from oncue.core.finding import Finding, ok, problem, unseen, warning
from oncue.store import database, migrations

CHECK_WITHIN = 10.0
"""Seconds for looking through the file, unless deep."""

MENDED = (3, 51, 3)
"""The SQLite that cannot corrupt a database where several connections checkpoint (sqlite.org/wal.html#walresetbug)."""

BIG_LOG = 256_000_000
"""Bytes. The writer empties the log as it goes; only a reader that does not end lets it grow."""

_STEPS = 100_000
"""Of SQLite's virtual machine, between two looks at the clock."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and whether the rest of the store can be read by this oncue."""

    findings: tuple[Finding, ...]
    is_readable: bool
    size: int = 0
    """Bytes that hold data."""


def look(path: Path, *, is_running: bool, deep: bool) -> Looked:
    """Look at the file."""
    findings = [sqlite_version()]
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as file:
            schema = _schema(file, is_running)
            findings += [schema, *_settings(file, is_running), *_log(path)]
            findings.append(_integrity(file, deep))
            size = _one(file, "page_size") * (_one(file, "page_count") - _one(file, "freelist_count"))
    except sqlite3.Error as error:
        broken = problem(
            "database", f"{path} cannot be read: {error}.", "Look who owns it; if it is damaged, `oncue restore` a backup."
        )  # fmt: skip
        return Looked(findings=(*findings, broken), is_readable=False)
    return Looked(findings=tuple(findings), is_readable=schema.level == "ok", size=size)


def sqlite_version() -> Finding:
    """Which SQLite, and why its known fault does not concern oncue."""
    name = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= MENDED:
        return ok("SQLite", f"{name}.")
    return ok(
        "SQLite",
        f"{name}. Before 3.51.3 it can corrupt a file that one connection checkpoints twice while another commits; oncue is safe from that:"
        " only its writer checkpoints, and nobody maps the file.",
    )


def _schema(file: sqlite3.Connection, is_running: bool) -> Finding:
    """Is it the schema that this oncue knows?"""
    known = {path.stem for path in Path(migrations.__file__ or "").parent.glob("0*.py")}
    try:
        found = {name for (name,) in file.execute("SELECT name FROM django_migrations WHERE app = 'store'")}
    except sqlite3.OperationalError:
        return problem(
            "schema", "This is no database of oncue's.", "Look whether ONCUE_DATA_DIR is the one that is meant."
        )
    if newer := sorted(found - known):
        return problem(
            "schema", f"It is of a later version of oncue ({', '.join(newer)}).", "Install that version, or restore an older backup."
        )  # fmt: skip
    if older := sorted(known - found):
        remedy = (
            "Start oncue again: the one that runs is older." if is_running else "`oncue serve` adds it when it starts."
        )
        return warning(
            "schema", f"{', '.join(older)} is not in it yet; the rest of the data was not looked at.", remedy
        )
    return ok("schema", f"The current one ({max(known)}).")


def _settings(file: sqlite3.Connection, is_running: bool) -> Iterator[Finding]:
    """The log is the file's own; the rest is what SQLite makes of the settings that oncue gives each connection."""
    (mode,) = file.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal" and is_running:
        yield problem(
            "log", f"The journal mode is {mode}, not WAL.", "The file system does not take it (is it on a network?): move the data to a local disk."
        )  # fmt: skip
    for statement in database.OWN:
        file.execute(statement)
    wanted = {"synchronous": 2, "wal_autocheckpoint": 0, "mmap_size": 0}
    differing = [f"{name} is {_one(file, name)}" for name, value in wanted.items() if _one(file, name) != value]
    if differing:
        yield problem(
            "durability",
            f"This SQLite does not take oncue's settings: {', '.join(differing)}.",
            "Use a Python whose SQLite does; what is answered may not be on disk.",
        )
    else:
        when = "" if mode == "wal" else f" The file is in mode {mode} until oncue starts."
        yield ok("durability", f"Write-ahead log, synchronous=FULL: what is answered is on disk.{when}")


def _log(path: Path) -> Iterator[Finding]:
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > BIG_LOG:
        yield warning(
            "log", f"The log beside the database has grown to {size / 1e6:,.0f} MB.", "End what reads the file for long: a backup, an export, a shell."
        )  # fmt: skip
    else:
        yield ok("log", f"The log beside the database has {size / 1e6:,.1f} MB.")


def _integrity(file: sqlite3.Connection, deep: bool) -> Finding:
    """Is the file whole? Without `deep`, for so long as that does not hold up the writer's log."""
    until = clock.elapsed() + CHECK_WITHIN
    if not deep:
        file.set_progress_handler(lambda: clock.elapsed() > until, _STEPS)
    name = "integrity_check" if deep else "quick_check"
    try:
        found = [row[0] for row in file.execute(f"PRAGMA {name}(5)")]
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return unseen(
            "integrity", f"The file is too large to be looked through within {CHECK_WITHIN:.0f} seconds.", "`oncue doctor --deep` takes its time; run it while little happens, or on a backup."
        )  # fmt: skip
    finally:
        file.set_progress_handler(None, 0)
    if found == ["ok"]:
        return ok("integrity", f"The file is whole ({name}).")
    return problem("integrity", f"The file is damaged: {'; '.join(found)}.", "Stop oncue and `oncue restore` a backup.")


def _one(file: sqlite3.Connection, pragma: str) -> int:
    return int(file.execute(f"PRAGMA {pragma}").fetchone()[0])
