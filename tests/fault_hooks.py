"""What a forked oncue (see forked.py) can be made to bear, by variables of the tests' own: users have no such settings."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import struct
import time
from collections.abc import Mapping
from pathlib import Path

GRACE = "TEST_GRACE_FOR"
"""Seconds in place of the minute that a message in doubt is left alone."""

STALE = "TEST_STALE_AFTER"
"""Seconds in place of the ten after which a claim is stale."""

BUSY = "TEST_BUSY_FOR"
"""Seconds in place of the two for which a lock is waited for."""

FILES = "TEST_FILES"
"""As many files as it may have open."""

PLAIN = "TEST_PLAIN_USER"
"""Root is bound by the modes of files like anybody else."""

CLOCK = "TEST_CLOCK"
"""A `WallClock`'s file."""


class WallClock:
    """By how much a process's wall clock is wrong: a file that both see. The steady clock goes on as it did."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    @property
    def wrong_by(self) -> int:
        """Milliseconds."""
        return int(struct.unpack("q", self._shared[:8])[0])

    @wrong_by.setter
    def wrong_by(self, milliseconds: int) -> None:
        self._shared[:8] = struct.pack("q", milliseconds)


def bear(environ: Mapping[str, str]) -> None:
    """In the fork, before oncue begins."""
    if GRACE in environ:
        from oncue import asgi
        from oncue.workers import reconciler

        reconciler.GRACE_FOR, asgi.RECONCILE_AFTER = float(environ[GRACE]), 0.2
    if BUSY in environ:
        from oncue import asgi

        asgi.BUSY_FOR = float(environ[BUSY])
    if STALE in environ:
        from oncue.workers import sender

        sender.STALE_AFTER = float(environ[STALE])
    if FILES in environ:
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(environ[FILES]),) * 2)
    if CLOCK in environ:
        from oncue.core import clock

        wall = WallClock(Path(environ[CLOCK]))
        clock.now = lambda: time.time_ns() // 1_000_000 + wall.wrong_by  # noqa: TID251
    if PLAIN in environ and os.geteuid() == 0:
        _drop_capabilities()


def _drop_capabilities() -> None:
    """man 2 capset: version 3, this process; nothing effective, permitted or inheritable."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset")
