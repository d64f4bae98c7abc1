"""The one source of ids. Every id is 32 lower-case hex digits: 48 bits of time, then 80 of the rest.

Ids start with a time because random keys make B-tree inserts two to three times slower once a table
holds millions of rows. A *derived* id is a function of its parent and of names, so that repeating a
hand-off makes the same id, and the database refuses the second copy.
"""

from __future__ import annotations

import hashlib
import os
import secrets

from oncue.core import clock


def new() -> str:
    """A fresh id: the time in milliseconds, then 80 random bits."""
    return f"{clock.now():012x}{os.urandom(10).hex()}"


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
