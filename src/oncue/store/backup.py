"""Backups: one file, taken while oncue runs, checked before it is called one; and what has to be settled when one is put back.

A message that waited when the backup was made may have been sent since, by an oncue whose later records are lost. So what would be due by
now is put back as *unknown*, and looked for at its provider from the time of the backup on, before anything is sent again.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from oncue.core import clock
from oncue.store import migrations

_MADE_AT = "backed_up_at"

_LAST = "last-backup"
"""A file in the data directory: when the last backup was made, in milliseconds."""

_MAYBE_SENT = "It waited when the backup was made that oncue was restored from, and may have been sent since; it is looked for at the provider."

_MIGRATIONS = {path.stem for path in Path(migrations.__file__ or "").parent.glob("0*.py")}


class Unusable(Exception):
    """This file is no backup that can be put back, or this place none where one can be written; the sentence says why."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A backup. `at` is its moment, in milliseconds; `size` in bytes."""

    at: int
    size: int
    events: int
    messages: int


def make(database: Path, target: Path) -> Made:
    """Copy the database as it is at one moment, whatever is written meanwhile. Raises `Unusable`."""
    part = target.with_name(target.name + ".part")
    if target.exists():
        raise Unusable(f"{target} is there already; choose another name.")
    if not database.exists():
        raise Unusable(f"There is no {database} yet, so there is nothing to back up.")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))  # it holds what people wrote
        at = clock.now()
        with closing(_read(database)) as source, closing(sqlite3.connect(part, isolation_level=None)) as copy:
            source.backup(copy)  # in one step: one moment, and the writer is not held up by it
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.execute(
                "INSERT INTO store_setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [_MADE_AT, str(at)],
            )
            found = _look(copy, part)
        _flush(part)
        part.rename(target)
        _flush(target.parent)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise Unusable(f"{target} cannot be written: {error}.") from None
    return found


def note(data_dir: Path, made: Made) -> None:
    """Remember that there is this backup, if the data directory lets us; a backup is none the worse for it if not."""
    with suppress(OSError):
        (data_dir / _LAST).write_text(f"{made.at}\n")


def last(data_dir: Path) -> int | None:
    """When the last backup was made that oncue knows of, in milliseconds."""
    try:
        return int((data_dir / _LAST).read_text())
    except (OSError, ValueError):
        return None


def put_back(file: Path, database: Path) -> tuple[Made, int]:
    """Have the database be what the backup was; (what it holds, how many messages are in doubt). What was there is kept beside it.

    It is settled before it is put in its place, and takes that in one step: wherever the process dies, there is the one or the other.
    Raises `Unusable`.
    """
    if not file.exists():
        raise Unusable(f"There is no file {file}.")
    part = database.with_name(database.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with closing(_read(file)) as source:
            found = _look(source, file)
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            with closing(sqlite3.connect(part)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                in_doubt = _settle(copy, found.at)
        _flush(part)
        _keep_aside(database)
        part.rename(database)
        _flush(database.parent)
    except (OSError, sqlite3.Error) as error:
        raise Unusable(f"{file} cannot be put back: {error}.") from None
    return found, in_doubt


def _settle(copy: sqlite3.Connection, made_at: int) -> int:
    """What may have been sent since is in doubt, and nobody is signed in. Returns how many are in doubt that were not."""
    now = clock.now()
    sql = "UPDATE store_message SET state = 'unknown', reason = ?, due_at = ?, updated_at = ? WHERE "
    with copy:
        copy.execute(
            "UPDATE store_message SET updated_at = ? WHERE state = 'unknown'", [now]
        )  # and so sent again since
        waited = copy.execute(sql + "state = 'waiting' AND due_at <= ?", [_MAYBE_SENT, made_at, now, now]).rowcount
        began = made_at - clock.MINUTE
        under_way = copy.execute(sql + "state = 'submitting'", [_MAYBE_SENT, began, now]).rowcount
        if copy.execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'store_session'"
        ).fetchone():  # not in the first schema
            copy.execute("DELETE FROM store_session")
    return waited + under_way


def _keep_aside(database: Path) -> None:
    """Another name for what is there, which keeps its own until it is replaced. Nobody else has it open: the caller holds the lock."""
    if not database.exists():
        return
    aside = database.with_name(f"{database.name}.before-{clock.iso(clock.now())[:19].replace(':', '')}")
    try:
        with closing(
            sqlite3.connect(database, timeout=1)
        ) as old:  # all of it in one file, so that no log is left to another
            old.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError:  # damaged, which may be why another is put in its place
        pass
    for ending in ("-wal", "-shm"):
        log = database.with_name(database.name + ending)
        if log.exists():
            log.rename(aside.with_name(aside.name + ending))
    os.link(database, aside)


def _look(database: sqlite3.Connection, path: Path) -> Made:
    """What the file holds. Raises `Unusable` if it is damaged, or no database of oncue's."""
    try:
        found = [row[0] for row in database.execute("PRAGMA integrity_check(5)")]
        if found != ["ok"]:
            raise Unusable(f"{path} is damaged: {'; '.join(found)}.")
        row = database.execute("SELECT value FROM store_setting WHERE name = ?", [_MADE_AT]).fetchone()
        newest = database.execute("SELECT received_at FROM store_event ORDER BY seq DESC LIMIT 1").fetchone()
        (events,) = database.execute("SELECT COUNT(*) FROM store_event").fetchone()
        newer = {
            name for (name,) in database.execute("SELECT name FROM django_migrations WHERE app = 'store'")
        } - _MIGRATIONS
        if newer:
            raise Unusable(
                f"{path} is of a later version of oncue ({', '.join(sorted(newer))}); install that version first."
            )
        (messages,) = database.execute("SELECT COUNT(*) FROM store_message").fetchone()
    except sqlite3.DatabaseError as error:
        raise Unusable(f"{path} is no database of oncue's ({error}).") from None
    # A plain copy of the file says nothing of when it was made: not before what is newest in it.
    return Made(
        at=int(row[0]) if row else (newest[0] if newest else 0),
        size=path.stat().st_size,
        events=events,
        messages=messages,
    )


def _read(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)


def _flush(path: Path) -> None:
    """Have it on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
