"""API keys: made, fixed to a value by a file, and looked up. Only their digests are kept, but for those of Swrve's apps: their SDKs never
send the key, but a token made with it, so it is kept encrypted.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable

import msgspec
from django.db import connection

from oncue.core import clock, ids
from oncue.core.items import Key, Source
from oncue.store import audit
from oncue.store.config import Snapshot, raise_version
from oncue.store.refusal import Refused
from oncue.store.rows import Row
from oncue.store.rows import rows as read
from oncue.store.secrets import Vault, WrongKey, digest
from oncue.store.statements import insert, write

LARGEST_APP = 10**15

EVENTS, READ, WRITE, ADMIN = "events", "read", "write", "admin"
SCOPES = (EVENTS, READ, WRITE, ADMIN)
"""Send events; of the management API: look, change what editors may, change what owners may."""


class Taken(Refused):
    """There is a key with that name already, or it is no name."""


def create(
    name: str,
    per_second: float = 0.0,
    scopes: Iterable[str] = (EVENTS,),
    by: str = audit.COMMAND_LINE,
    *,
    source: str = Source.NATIVE,
    app: int = 0,
    value: str = "",
    vault: Vault | None = None,
) -> str:
    """Make a key; the only time it can be seen is now. Raises `Taken`.

    A key of an SDK may have the `value` that apps which are out there send already; one of Swrve's SDKs needs the `app`'s number, and the
    vault, which keeps it.
    """
    name, kept = name.strip(), _scopes(scopes)
    if not name or len(name) > 100 or "\0" in name:
        raise Taken("A key needs a name of at most 100 characters, such as shop-server.")
    if not kept or kept != {*scopes}:
        raise Taken(f"A key needs at least one scope of: {', '.join(SCOPES)}.")
    if not 0 <= per_second < float("inf"):
        raise Taken("The number of items a second is 0 (no limit) or more.")
    if read("SELECT 1 AS one FROM store_apikey WHERE name = %s", [name]):
        raise Taken(f"There is an API key named {name!r} already; choose another name.")
    if said := unfit_sdk(source, app, value) or (
        "A key of an SDK may only send events." if source != Source.NATIVE and kept != {EVENTS} else ""
    ):
        raise Taken(said)
    token = value or ids.secret("web_sdk-" if source == Source.SWRVE else "oncue_")  # Swrve's web SDK takes no other
    if read("SELECT 1 AS one FROM store_apikey WHERE digest = %s", [digest(token)]):
        raise Taken("There is an API key with that value already.")
    _write(name, token, per_second, kept, by, Sdk(source, app, vault))
    shown = {"source": source} | ({"app": app} if app else {}) if source != Source.NATIVE else {}
    audit.record(by, "created", "key", name, after={"scopes": _listed(kept), "per_second": per_second, **shown})
    return token


class Sdk(msgspec.Struct, frozen=True):
    """What belongs to a key beside its value."""

    source: str = Source.NATIVE
    app: int = 0
    vault: Vault | None = None


def unfit_sdk(source: str, app: int, value: str) -> str:
    """What is wrong with the key of an SDK, in a sentence; empty if nothing is."""
    if source not in list(Source):
        return f"The source of a key is one of: {', '.join(Source)}."
    if value and source == Source.NATIVE:
        return "The value of a key is made here, unless it is that of an SDK (source segment or swrve) in apps that are out already."
    shortest = Source(source).shortest_key
    if value and not re.fullmatch(rf"[!-~]{{{shortest},200}}", value):
        return f"The value of an SDK's key has {shortest} to 200 characters, without spaces."
    if source == Source.SEGMENT and ":" in value:
        return "The value of a key of Segment's SDKs has no colon: they send it as a user's name."
    if source == Source.SWRVE and not 0 < app < LARGEST_APP:
        return "A key of Swrve's SDKs needs the app's id, which is a number such as 4567."
    if app and source != Source.SWRVE:
        return "Only a key of Swrve's SDKs has an app's id."
    return ""


def fix(name: str, token: str, per_second: float = 0.0, by: str = audit.COMMAND_LINE, sdk: Sdk | None = None) -> bool:
    """Have a key of that name with that value, inside a transaction; its scopes stay, unless it becomes an SDK's. Returns whether anything
    changed. Raises `Taken`."""
    sdk = sdk or Sdk()
    if said := unfit_sdk(sdk.source, sdk.app, token if sdk.source != Source.NATIVE else ""):
        raise Taken(f"The API key {name!r}: {said}")
    if read("SELECT 1 AS one FROM store_apikey WHERE digest = %s AND NOT name = %s", [digest(token), name]):
        raise Taken(f"The API key {name!r} has the value of another; give each a value of its own.")
    found = read("SELECT digest, per_second, source, app, secret FROM store_apikey WHERE name = %s", [name])
    if found:
        *same, secret = found[0].values()
        if same == [digest(token), per_second, sdk.source, sdk.app] and _opens(secret, sdk.vault):
            return False
    _write(name, token, per_second, {EVENTS}, by, sdk)
    audit.record(by, "changed" if found else "created", "key", name, note="by a file")
    return True


def _opens(secret: str, vault: Vault | None) -> bool:
    try:
        return not (secret and vault) or bool(vault.open(secret))
    except WrongKey:
        return False


def find(snapshot: Snapshot, token: str) -> Key | None:
    """The key with that value. Every digest is compared, each in constant time."""
    given = digest(token)
    found = None
    for stored, key in snapshot.keys.items():
        if hmac.compare_digest(stored, given):
            found = key
    return found


def listed() -> list[Row]:
    """Every key, by name: id, name, scopes (a list), per_second, source, app (0 but for Swrve's), created_by, created_at."""
    found = read(
        "SELECT id, name, scopes AS allowed, per_second, source, app, created_by, created_at FROM store_apikey ORDER BY name",
        [],
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


_UPSERT = insert(
    "store_apikey",
    "id, name, digest, per_second, scopes, source, app, secret, created_by, created_at",
    "ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, per_second = excluded.per_second, source = excluded.source, "
    "app = excluded.app, secret = excluded.secret, "
    "scopes = CASE WHEN excluded.source = 'native' THEN store_apikey.scopes ELSE excluded.scopes END",
)


def _write(name: str, token: str, per_second: float, scopes: set[str], by: str, sdk: Sdk) -> None:
    secret = sdk.vault.close({"key": token}) if sdk.vault and sdk.source == Source.SWRVE else ""
    assert secret or sdk.source != Source.SWRVE, "a key of Swrve's SDKs is kept in the vault"
    allowed = ",".join(_listed(scopes))
    row = (ids.new(), name, digest(token), per_second, allowed, sdk.source, sdk.app, secret, by[:254], clock.now())
    write(_UPSERT, [row])
    raise_version()


def _scopes(given: Iterable[str]) -> set[str]:
    return {*given} & {*SCOPES}


def _listed(scopes: set[str]) -> list[str]:
    return [one for one in SCOPES if one in scopes]
