"""What was taken in before: a hash of where an id came from and what it is, kept longer than the oldest timestamp accepted."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from zlib import crc32

from django.db import connection

from oncue.core import clock

KEPT_FOR_DAYS = 35
"""A client's id is recognised for this long; events are accepted up to 30 days old."""


@lru_cache(maxsize=4_000)
def seen_digest(source: str, one: str) -> str:
    """What is kept of a client's (or a provider's) own id. Asked for twice in each transaction: to look it up, and to keep it.

    It begins with what all but the last two characters come to: ids that count up stand together, a hundred in a page of the index,
    where each would otherwise change a page of its own, a fifth of all that a transaction writes.
    """
    whole = f"{source}\x1f{one}"
    return f"{crc32(whole[:-2].encode()):08x}{hashlib.blake2b(whole.encode(), digest_size=11).hexdigest()}"


def digest_before(source: str, one: str) -> str:
    """What was kept of it until 2026-11-28: two characters longer, and in no order."""
    return hashlib.blake2b(f"{source}\x1f{one}".encode(), digest_size=16).hexdigest()


def has_before() -> bool:
    """Whether anything is kept in that way: the oldest row tells, since rows stand in the order of their making."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT LENGTH(digest) = 32 FROM store_seen ORDER BY rowid LIMIT 1")
        row = cursor.fetchone()
    return bool(row and row[0])


def day_of(at: int) -> int:
    """Days since the epoch."""
    return at // clock.DAY


def forget(today: int, most: int = 2_000) -> int:
    """Forget ids that are older than they need be, a bounded number in one transaction; returns how many."""
    with connection.cursor() as cursor:
        sql = "DELETE FROM store_seen WHERE digest IN (SELECT digest FROM store_seen WHERE day < %s LIMIT %s)"
        cursor.execute(sql, [today - KEPT_FOR_DAYS, most])
        return int(cursor.rowcount)
