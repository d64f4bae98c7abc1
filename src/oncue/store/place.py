"""The data directory: whose it is, what it lies on, whether there is room, when it was backed up. For `oncue doctor`, which makes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from oncue.core import clock
from oncue.core.finding import Finding, ok, problem, unseen, warning
from oncue.store import backup, secrets

LITTLE_ROOM = 200_000_000
"""Bytes. Below it a busy day may fill the disk."""

FULL_WITHIN = 30
"""Days."""

BACKED_UP_WITHIN = 7 * clock.DAY

MOUNTS = Path("/proc/self/mountinfo")

NETWORKED = frozenset({"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "nfs", "nfs4", "smb3", "smbfs"})
"""File systems on which SQLite's write-ahead log does not work (sqlite.org/wal.html)."""

_PASSING = {
    "tmpfs": "is in memory, and gone when the machine starts again",
    "ramfs": "is in memory, and gone when the machine starts again",
    "overlay": "is a container's own layer, and gone with the container",
}


def directory(data_dir: Path) -> Iterator[Finding]:
    """Whose it is, who may read it, and what it lies on."""
    about, status = "data directory", data_dir.stat()
    if status.st_mode & 0o077:
        yield problem(about, f"Others may read {data_dir} (mode {status.st_mode & 0o777:o}).", f"chmod 700 {data_dir}")
    me = os.geteuid()
    if me not in (0, status.st_uid):
        yield problem(
            about, f"{data_dir} belongs to user {status.st_uid}; this is user {me}.", "Run oncue, and this, as one user."
        )  # fmt: skip
    others = sorted(path.name for path in data_dir.iterdir() if path.lstat().st_uid != status.st_uid)
    if others:
        yield problem(
            about,
            f"{', '.join(others[:5])} in it {'belongs' if len(others) == 1 else 'belong'} to another user than the directory.",
            f"Stop oncue, then: chown -R {status.st_uid} {data_dir}",
        )
    kind = file_system(data_dir)
    if kind in NETWORKED:
        yield problem(
            about, f"{data_dir} is on a network ({kind}), where SQLite's log does not work.", "Move it to a local disk."
        )  # fmt: skip
    elif kind in _PASSING:
        yield warning(about, f"{data_dir} {_PASSING[kind]} ({kind}).", "Put it on a disk or a volume that stays.")
    else:
        yield ok(about, f"{data_dir}, on {kind or 'a file system that could not be told'}.")


def file_system(path: Path) -> str:
    """The type of what a path lies on, where the kernel tells (Linux); else empty."""
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    best, found, resolved = -1, "", path.resolve()
    for line in lines:  # a later mount on one place hides an earlier
        mount, _, source = line.partition(" - ")
        place = mount.split(" ")[4].replace("\\040", " ")
        if len(place) >= best and resolved.is_relative_to(place):
            best, found = len(place), source.split(" ")[0]
    return found


def room(data_dir: Path, grows_by: float | None, is_kept_for_good: bool) -> Finding:
    """Free space, and how long it lasts; `grows_by` is bytes a day, None if that cannot be told yet."""
    free = shutil.disk_usage(data_dir).free
    used = sum(path.stat().st_size for path in data_dir.glob("oncue.db*") if path.is_file())
    said = f"{free / 1e9:,.1f} GB are free; the database has {used / 1e6:,.1f} MB"
    if free < LITTLE_ROOM:
        return problem("disk", f"{said}.", "Make room: without it oncue accepts nothing, rather than lose it.")
    if not grows_by:
        return ok("disk", f"{said}.")
    days = free / grows_by
    said += f", and has grown by about {grows_by / 1e6:,.1f} MB a day this week."
    if days > FULL_WITHIN:
        return ok("disk", said)
    remedy = (
        "Make room, or say under Settings, Retention, how long things are kept." if is_kept_for_good else "Make room."
    )
    return warning("disk", f"{said} At that pace it is full in {days:.0f} days.", remedy)


def secret_key(data_dir: Path, is_set: bool) -> tuple[list[str], Finding]:
    """The keys in the data directory, and whether they are kept well. `is_set`: it comes from the environment, so none is needed."""
    about, path = "secret key", data_dir / secrets.KEY_FILE
    if is_set:
        return [], ok(about, "It comes from ONCUE_SECRET_KEY.")
    if not path.exists():
        return [], warning(
            about, f"There is no {path} yet.", "oncue makes one when it starts; if there was one, put it back."
        )
    try:
        keys = secrets.read_keys(data_dir)
    except OSError as error:
        return [], problem(about, f"{path} cannot be read ({error.strerror}).", "Run this as the user whose it is.")
    if path.stat().st_mode & 0o077:
        return keys, problem(about, f"Others may read {path}.", f"chmod 600 {path}")
    return keys, ok(about, f"{path}, which nobody else may read.")


def backups(data_dir: Path) -> Finding:
    """When the last one was made that oncue knows of."""
    at = backup.last(data_dir)
    if at is None:
        return unseen(
            "backup", "oncue has made none here; others it does not know of.", "`oncue backup FILE`, every day."
        )
    ago = max(0, clock.now() - at)
    said = f"The last `oncue backup` was made on {clock.iso(at)[:10]}, {ago // clock.DAY} days ago."
    if ago > BACKED_UP_WITHIN:
        return warning("backup", said, "`oncue backup FILE`, every day.")
    return ok("backup", said)
