"""API keys: made, fixed to a value by a file, and looked up. Only their digests are kept."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from django.db import connection

from oncue.core import clock, ids
from oncue.core.items import Key
from oncue.store import audit
from oncue.store.config import Snapshot, raise_version
from oncue.store.refusal import Refused
from oncue.store.rows import Row
from oncue.store.rows import rows as read
from oncue.store.secrets import digest

SHORTEST = 16
"""Characters of a key that a file may fix: shorter ones can be guessed."""

EVENTS, READ, WRITE, ADMIN = "events", "read", "write", "admin"
SCOPES = (EVENTS, READ, WRITE, ADMIN)
"""Send events; of the management API: look, change what editors may, change what owners may."""


class Taken(Refused):
    """There is a key with that name already, or it is no name."""


def create(name: str, per_second: float = 0.0, scopes: Iterable[str] = (EVENTS,), by: str = audit.COMMAND_LINE) -> str:
    """Make a key; the only time it can be seen is now. Raises `Taken`."""
    name, kept = name.strip(), _scopes(scopes)
    if not name or len(name) > 100 or "\0" in name:
        raise Taken("A key needs a name of at most 100 characters, such as shop-server.")
    if not kept or kept != {*scopes}:
        raise Taken(f"A key needs at least one scope of: {', '.join(SCOPES)}.")
    if not 0 <= per_second < float("inf"):
        raise Taken("The number of items a second is 0 (no limit) or more.")
    if read("SELECT 1 AS one FROM store_apikey WHERE name = %s", [name]):
        raise Taken(f"There is an API key named {name!r} already; choose another name.")
    token = ids.secret("oncue_")
    _write(name, token, per_second, kept, by)
    audit.record(by, "created", "key", name, after={"scopes": _listed(kept), "per_second": per_second})
    return token


def fix(name: str, token: str, per_second: float = 0.0, by: str = audit.COMMAND_LINE) -> bool:
    """Have a key of that name with that value, inside a transaction; its scopes stay. Returns whether anything changed."""
    found = read("SELECT digest, per_second FROM store_apikey WHERE name = %s", [name])
    if found and (found[0]["digest"], found[0]["per_second"]) == (digest(token), per_second):
        return False
    _write(name, token, per_second, {EVENTS}, by)
    audit.record(by, "changed" if found else "created", "key", name, note="by a file")
    return True


def find(snapshot: Snapshot, token: str) -> Key | None:
    """The key with that value. Every digest is compared, each in constant time."""
    given = digest(token)
    found = None
    for stored, key in snapshot.keys.items():
        if hmac.compare_digest(stored, given):
            found = key
    return found


def listed() -> list[Row]:
    """Every key, by name: id, name, scopes (a list), per_second, created_by, created_at."""
    found = read(
        "SELECT id, name, scopes AS allowed, per_second, created_by, created_at FROM store_apikey ORDER BY name", []
    )
    return [{**row, "scopes": _listed(_scopes(row.pop("allowed").split(",")))} for row in found]


def revoke(one: str, by: str) -> bool:
    """A key, by its id, is known no more. Returns whether there was one."""
    found = read("SELECT name FROM store_apikey WHERE id = %s", [one])
    if not found:
        return False
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_apikey WHERE id = %s", [one])
    raise_version()
    audit.record(by, "revoked", "key", found[0]["name"])
    return True


def names() -> list[str]:
    """The names of all keys."""
    return [row["name"] for row in read("SELECT name FROM store_apikey ORDER BY name", [])]


def _write(name: str, token: str, per_second: float, scopes: set[str], by: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_apikey (id, name, digest, per_second, scopes, created_by, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, per_second = excluded.per_second",
            [ids.new(), name, digest(token), per_second, ",".join(_listed(scopes)), by[:254], clock.now()],
        )
    raise_version()


def _scopes(given: Iterable[str]) -> set[str]:
    return {*given} & {*SCOPES}


def _listed(scopes: set[str]) -> list[str]:
    return [one for one in SCOPES if one in scopes]
