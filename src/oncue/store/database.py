"""Opening the database: Django's settings, SQLite's pragmas, the lock that makes one process the writer.

SQLite before 3.51.3 can corrupt a database when one connection checkpoints while another commits a restarted log
(sqlite.org/wal.html#walresetbug), so only the writer checkpoints, and nobody maps the file.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO, Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

_PRAGMAS = ";".join(
    (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA wal_autocheckpoint=0",
        "PRAGMA mmap_size=0",
        "PRAGMA cache_size=-65536",
        "PRAGMA foreign_keys=OFF",
        "PRAGMA temp_store=MEMORY",
    )
)


class InUse(Exception):
    """Another oncue process already serves this data directory."""


def configure(path: Path, *, secret_key: str = "", apps: tuple[str, ...] = (), **more: Any) -> None:
    """Point Django at the SQLite file at `path`. Once a process."""
    settings.configure(
        SECRET_KEY=secret_key or "oncue-has-no-use-for-this-yet",
        INSTALLED_APPS=["oncue.store.apps.StoreConfig", *apps],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(path),
                "OPTIONS": {
                    "timeout": 10,
                    "cached_statements": 512,
                    "init_command": _PRAGMAS,
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


def migrate(data_dir: Path | None = None) -> None:
    """Bring the schema up to date. With the data directory, one process at a time: a second one waits, and finds it done."""
    if data_dir is None:
        call_command("migrate", verbosity=0, interactive=False)
        return
    with (data_dir / "migrate.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        call_command("migrate", verbosity=0, interactive=False)


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


def lock(data_dir: Path) -> IO[bytes]:
    """Hold the data directory for this process; the kernel lets go when it ends, however it ends. Raises `InUse`."""
    handle = (data_dir / "serve.lock").open("a+b")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        holder = handle.read(20).decode("ascii", "replace").strip()
        handle.close()
        raise InUse(
            f"Another oncue (process {holder or 'unknown'}) already serves {data_dir}; stop it, or set ONCUE_DATA_DIR."
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()).encode())
    handle.flush()
    return handle
