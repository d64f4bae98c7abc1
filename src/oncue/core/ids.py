"""The one source of ids. Every id is 32 lower-case hex digits: 48 bits of time, then 80 of the rest. Ids are not secrets.

Ids start with a time because random keys make B-tree inserts two to three times slower once a table
holds millions of rows. A *derived* id is a function of its parent and of names, so that repeating a
hand-off makes the same id, and the database refuses the second copy.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from itertools import count

from oncue.core import clock

_here = os.urandom(5).hex()
_made = count()


def _begin() -> None:
    global _here
    _here = os.urandom(5).hex()


os.register_at_fork(after_in_child=_begin)


def new() -> str:
    """A fresh id: the time in milliseconds, 40 bits that are this process's own, and a count, so that ids of one millisecond stay in order."""
    return f"{clock.now():012x}{_here}{next(_made):010x}"


def derived(parent: str, *names: str) -> str:
    """The id that `parent` and `names` always give: the parent's time, then 80 bits of a SHA-256."""
    digest = hashlib.sha256("\x1f".join((parent, *names)).encode()).hexdigest()
    return parent[:12] + digest[:20]


def is_id(text: str) -> bool:
    """Whether `text` has the shape of an id."""
    return len(text) == 32 and all(c in "0123456789abcdef" for c in text)


def secret(prefix: str = "", size: int = 32) -> str:
    """An unguessable URL-safe token of `size` random bytes, after `prefix`."""
    return prefix + secrets.token_urlsafe(size)
