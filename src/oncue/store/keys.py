"""API keys: made, fixed to a value by a file, and looked up. Only their digests are kept."""

from __future__ import annotations

import hmac

from django.db import connection

from oncue.core import clock, ids
from oncue.core.items import Key
from oncue.store.config import Snapshot, raise_version
from oncue.store.secrets import digest

SHORTEST = 16
"""Characters of a key that a file may fix: shorter ones can be guessed."""


class Taken(Exception):
    """There is a key with that name already, or it is no name."""


def create(name: str, per_second: float = 0.0) -> str:
    """Make a key; the only time it can be seen is now. Raises `Taken`."""
    if not name.strip():
        raise Taken("A key needs a name, such as shop-server.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM store_apikey WHERE name = %s", [name])
        if cursor.fetchone():
            raise Taken(f"There is an API key named {name!r} already; choose another name.")
    token = ids.secret("oncue_")
    fix(name, token, per_second)
    return token


def fix(name: str, token: str, per_second: float = 0.0) -> bool:
    """Have a key of that name with that value, inside a transaction. Returns whether anything changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest, per_second FROM store_apikey WHERE name = %s", [name])
        if cursor.fetchone() == (digest(token), per_second):
            return False
        cursor.execute(
            "INSERT INTO store_apikey (id, name, digest, per_second, created_at) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, per_second = excluded.per_second",
            [ids.new(), name, digest(token), per_second, clock.now()],
        )
    raise_version()
    return True


def find(snapshot: Snapshot, token: str) -> Key | None:
    """The key with that value. Every digest is compared, each in constant time."""
    given = digest(token)
    found = None
    for stored, key in snapshot.keys.items():
        if hmac.compare_digest(stored, given):
            found = key
    return found


def names() -> list[str]:
    """The names of all keys."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM store_apikey ORDER BY name")
        return [name for (name,) in cursor.fetchall()]
