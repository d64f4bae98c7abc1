"""Configured adaptors, as files and members save them. Secrets go to the vault; every change raises the version."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.store.config import raise_version
from oncue.store.secrets import Vault, WrongKey

ACTIVE, INACTIVE = "active", "inactive"


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An adaptor as it is saved, its secrets in clear."""

    state: str
    values: dict[str, Any]
    found: dict[str, Any]
    problem: str
    cursor: dict[str, Any]


ANOTHER_ACCOUNT = "It was handed to another account than the one that is configured now, so it cannot be looked for. See there whether it was sent."
"""Why a message stays unknown until a callback or a member says otherwise."""


def stored(name: str, vault: Vault) -> Stored | None:
    """What is saved of an adaptor; None if it is Not configured. Secrets that cannot be read are left out, and `problem` says why."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, config, secrets, found, problem, poll_cursor FROM store_adaptor WHERE name = %s", [name]
        )
        row = cursor.fetchone()
    if row is None:
        return None
    problem = row[4]
    try:
        secrets = vault.open(row[2])
    except WrongKey as wrong:
        secrets, problem = {}, str(wrong)
    return Stored(
        state=row[0],
        values=msgspec.json.decode(row[1]) | secrets,
        found=msgspec.json.decode(row[3]),
        problem=problem,
        cursor=msgspec.json.decode(row[5]),
    )


def save(
    adaptor: Adaptor, vault: Vault, values: dict[str, Any], state: str, found: dict[str, Any] | None = None
) -> bool:
    """Save an adaptor, inside a transaction. Returns whether anything changed. Its pauses are lifted: whoever saves it has mended it.

    `found`, what checking it learned of the account, is kept whatever else changed, which alone is no change.
    """
    before = stored(adaptor.name, vault)
    if before and before.state == state and before.values == values and not _pauses(adaptor.name):
        if found is not None and found != before.found:
            learn(adaptor.name, found)
        return False
    secret = {field.name for field in adaptor.config if field.is_secret}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_adaptor (name, state, config, secrets, found, problem, poll_cursor, updated_at) "
            "VALUES (%s, %s, %s, %s, %s, '', '{}', %s) "
            "ON CONFLICT (name) DO UPDATE SET state = excluded.state, config = excluded.config, secrets = excluded.secrets, "
            "found = excluded.found, problem = '', updated_at = excluded.updated_at",
            [
                adaptor.name,
                state,
                _json({name: value for name, value in values.items() if name not in secret}),
                vault.close({name: value for name, value in values.items() if name in secret}),
                _json(found if found is not None else (before.found if before else {})),
                clock.now(),
            ],
        )
        cursor.execute("DELETE FROM store_pause WHERE adaptor = %s", [adaptor.name])
        if state == ACTIVE:
            sql = "UPDATE store_message SET due_at = %s WHERE state = 'waiting' AND adaptor = %s AND due_at > %s"
            cursor.execute(sql, [clock.now(), adaptor.name, clock.now()])
        if before and any(before.values.get(name) != values.get(name) for name in adaptor.account):
            sql = "UPDATE store_message SET reason = %s WHERE state IN ('submitting', 'unknown') AND state = 'unknown' AND adaptor = %s"
            cursor.execute(sql, [ANOTHER_ACCOUNT, adaptor.name])
    raise_version()
    return True


def learn(name: str, found: dict[str, Any]) -> None:
    """Keep what was learned of the account."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_adaptor SET found = %s WHERE name = %s", [_json(found), name])
    raise_version()


def held(name: str) -> int:
    """How many messages wait for this adaptor."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM store_message WHERE state = 'waiting' AND adaptor = %s", [name])
        return int(cursor.fetchone()[0])


def cursor(name: str) -> dict[str, Any]:
    """How far polling this adaptor has come."""
    with connection.cursor() as statement:
        statement.execute("SELECT poll_cursor FROM store_adaptor WHERE name = %s", [name])
        row = statement.fetchone()
    return msgspec.json.decode(row[0], type=dict[str, Any]) if row else {}


def _pauses(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM store_pause WHERE adaptor = %s", [name])
        return int(cursor.fetchone()[0])


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
