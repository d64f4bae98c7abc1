"""What was taken in before: a hash of where an id came from and what it is, kept longer than the oldest timestamp accepted."""

from __future__ import annotations

import hashlib

from oncue.core import clock

KEPT_FOR_DAYS = 35
"""A client's id is recognised for this long; events are accepted up to 30 days old."""


def seen_digest(source: str, one: str) -> str:
    """What is kept of a client's (or a provider's) own id."""
    return hashlib.blake2b(f"{source}\x1f{one}".encode(), digest_size=16).hexdigest()


def day_of(at: int) -> int:
    """Days since the epoch."""
    return at // clock.DAY
