"""Opening the database: Django's settings, SQLite's pragmas, the lock that makes one process the writer.

SQLite before 3.51.3 can corrupt a database when one connection checkpoints while another commits a restarted log
(sqlite.org/wal.html#walresetbug), so only the writer checkpoints, and nobody maps the file.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor

READER_CACHE, WRITER_CACHE = 8_192, 65_536
"""Kilobytes of pages that a connection keeps: there is one writer, and a reader for each of several threads. Readers have the system's cache too."""

OWN = (
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA mmap_size=0",
    f"PRAGMA cache_size=-{READER_CACHE}",
    "PRAGMA foreign_keys=OFF",
    "PRAGMA temp_store=MEMORY",
)
"""Of each connection. The log alone is the file's."""

_PRAGMAS = ";".join(("PRAGMA journal_mode=WAL", *OWN))
_LOOKING = ";".join((*OWN, "PRAGMA query_only=ON"))


_OF_THE_STATEMENT = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_RANGE,
}
"""SQLite's codes for what is wrong with a statement or its values; all others are of the database: locked, full, read-only, gone."""


class InUse(Exception):
    """Another oncue process already serves this data directory."""


def configure(
    path: Path, *, secret_key: str = "", apps: tuple[str, ...] = (), only_look: bool = False, **more: Any
) -> None:
    """Point Django at the SQLite file at `path`. Once a process. With `only_look` nothing in it can be changed, not even its log."""
    settings.configure(
        SECRET_KEY=secret_key or "oncue-has-no-use-for-this-yet",
        INSTALLED_APPS=["oncue.store.apps.StoreConfig", *apps],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{path.resolve().as_uri()}?mode=ro" if only_look else str(path),
                "OPTIONS": {
                    "timeout": 10,
                    "cached_statements": 512,
                    "init_command": _LOOKING if only_look else _PRAGMAS,
                    "transaction_mode": "IMMEDIATE",
                },
            }
        },
        USE_TZ=True,
        TIME_ZONE="UTC",
        LOGGING_CONFIG=None,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        **more,
    )
    django.setup()


class WrongSchema(Exception):
    """The data cannot be brought to this oncue's schema; it was left as it is."""


@contextmanager
def opening(data_dir: Path) -> Iterator[None]:
    """One process at a time: a second one that opens the data directory waits, and finds keys and schema made."""
    with (data_dir / "migrate.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def migrate(data_dir: Path | None = None) -> None:
    """Bring the schema up to date: all steps in one transaction, so that one that fails leaves the data to the oncue before.

    Never under a running oncue, which holds the lock on the data directory. Raises `WrongSchema`.
    """
    executor = MigrationExecutor(connection)
    applied, known = executor.loader.applied_migrations, executor.loader.disk_migrations
    if unknown := sorted(" ".join(one) for one in applied.keys() - known.keys()):
        raise WrongSchema(
            f"This data was last used by a later oncue (its schema has {', '.join(unknown)}, which this one does not know)."
            " Install that oncue again, or restore a backup made before it."
        )
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return
    try:
        with lock(data_dir) if data_dir and applied else nullcontext(), transaction.atomic():
            call_command("migrate", verbosity=0, interactive=False)
    except InUse as running:
        raise WrongSchema(
            f"The data is of an oncue before this one, which still runs: restart it first. {running}"
        ) from None
    except Exception as error:
        raise WrongSchema(
            f"The data could not be brought up to date ({error}). Nothing of it was changed: the oncue before this one can go on with it."
        ) from error


def wait_for_lock(seconds: float) -> None:
    """How long connections that are opened from now on wait for a lock that another process holds."""
    connections.settings["default"]["OPTIONS"]["timeout"] = seconds


def be_writer() -> None:
    """Have this connection keep more pages than a reader's does."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA cache_size=-{WRITER_CACHE}")


def checkpoint() -> None:
    """Move the write-ahead log into the database file, as far as readers allow. The writer alone calls this."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def close_log() -> None:
    """At the end: move all of the log into the database file and empty it, so that the file alone is whole, and what was erased is nowhere.
    A reader that is not done within a second leaves it as it is."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 1000")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def holder(data_dir: Path) -> str:
    """The number of the process that serves the data directory; empty if none does."""
    try:
        with (data_dir / "serve.lock").open("rb") as handle:
            return "" if _held(handle, fcntl.LOCK_SH) else _holder(handle)
    except OSError:
        return ""


def lock(data_dir: Path) -> IO[bytes]:
    """Hold the data directory for this process; the kernel lets go when it ends, however it ends. Raises `InUse`."""
    handle = (data_dir / "serve.lock").open("a+b")
    if not _held(handle, fcntl.LOCK_EX):
        time.sleep(_LOOKED_FOR)
        if not _held(handle, fcntl.LOCK_EX):
            number = _holder(handle)
            handle.close()
            raise InUse(f"Another oncue (process {number}) already serves {data_dir}; stop it, or set ONCUE_DATA_DIR.")
    handle.truncate(0)
    handle.write(str(os.getpid()).encode())
    handle.flush()
    return handle


_LOOKED_FOR = 0.05
"""Seconds, for somebody who only looks whether it is held (`holder`) to be gone again."""


def _held(handle: IO[bytes], how: int) -> bool:
    """Whether it is ours now."""
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(handle: IO[bytes]) -> str:
    handle.seek(0)
    return handle.read(20).decode("ascii", "replace").strip() or "unknown"


def is_at_fault(error: Exception) -> bool:
    """Whether the database as a whole fails, and not one statement with its values: then no job is to blame."""
    if not isinstance(error, DatabaseError) or isinstance(error, IntegrityError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code is None or code & 0xFF not in _OF_THE_STATEMENT


def sentence(error: Exception) -> str:
    """What to say of it to whoever starts a program."""
    return (
        f"The database cannot be used: {error}. Another process may hold it, its disk may be full, or its files and their directory may not"
        " be writable; mend that, and try again."
    )
