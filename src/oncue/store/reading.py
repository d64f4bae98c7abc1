"""Reading for people: listings, newest first, paged by key so that page one thousand costs what page one does."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import connection

_EVENTS = "seq, id, user_id, name, properties, timestamp, received_at, source, cause"
_MESSAGES = (
    "seq, id, user_id, rule, event, adaptor, action, category, recipient, sender, state, reason, carrier_status, provider_id, "
    "error_code, error_message, attempts, send_by, due_at, created_at, updated_at, fields, warnings"
)
_USERS = "seq, id, properties, phone, created_at, updated_at"

Row = dict[str, Any]


def events(*, limit: int = 50, before: int | None = None, user: str = "", name: str = "") -> list[Row]:
    """Events, newest first; `before` is the `seq` of the last one on the page before."""
    return _page("store_event", _EVENTS, limit, before, user_id=user, name=name)


def messages(
    *, limit: int = 50, before: int | None = None, user: str = "", rule: str = "", state: str = ""
) -> list[Row]:
    """Messages, newest first."""
    return _page("store_message", _MESSAGES, limit, before, user_id=user, rule=rule, state=state)


def users(*, limit: int = 50, before: int | None = None) -> list[Row]:
    """Users, newest first."""
    return _page("store_user", _USERS, limit, before)


def user(one: str) -> Row | None:
    """One user, with what they said to each category."""
    found = rows(f"SELECT {_USERS} FROM store_user WHERE id = %s", [one])
    if not found:
        return None
    said = rows("SELECT category, state, source, at FROM store_consent WHERE user_id = %s ORDER BY category", [one])
    return {**found[0], "consents": said}


def opt_outs(*, limit: int = 50, address: str = "") -> list[Row]:
    """The ledger of opt-outs, newest first, lifted ones too."""
    where, values = ("WHERE address = %s", [address]) if address else ("", [])
    sql = f"SELECT id AS seq, address, scope, source, at, lifted_at, lifted_by FROM store_optout {where} ORDER BY id DESC LIMIT %s"
    return rows(sql, [*values, limit])


def counts(since_hour: int) -> list[Row]:
    """The hourly counters since then, summed by name and label."""
    sql = "SELECT name, label, SUM(count) AS count FROM store_counter WHERE hour >= %s GROUP BY name, label ORDER BY name, label"
    return rows(sql, [since_hour])


def states() -> dict[str, int]:
    """How many messages wait, are being sent or are unknown: the states that should not grow. Served by partial indexes."""
    found = {state: 0 for state in ("waiting", "submitting", "unknown")}
    for words in ("state = 'waiting'", "state IN ('submitting', 'unknown')"):  # those of the indexes
        for row in rows(f"SELECT state, COUNT(*) AS count FROM store_message WHERE {words} GROUP BY state", []):
            found[row["state"]] = row["count"]
    return found


def pauses() -> list[Row]:
    """What is held back, and why."""
    return rows("SELECT adaptor, kind, key, reason, since_at, until_at FROM store_pause ORDER BY adaptor", [])


def _page(table: str, columns: str, limit: int, before: int | None, **equal: str) -> list[Row]:
    wanted = {column: value for column, value in equal.items() if value}
    conditions = [f"{column} = %s" for column in wanted]
    values: list[Any] = list(wanted.values())
    if before is not None:
        conditions.append("seq < %s")
        values.append(before)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return rows(f"SELECT {columns} FROM {table} {where} ORDER BY seq DESC LIMIT %s", [*values, limit])


_JSON = frozenset({"properties", "fields", "warnings", "trace", "exchange", "scopes", "raw", "before", "after"})


def rows(sql: str, values: list[Any]) -> list[Row]:
    """Rows of a query as maps, JSON columns decoded."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [
            {name: _value(name, value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
        ]


def _value(name: str, value: Any) -> Any:
    if name in _JSON:
        return msgspec.json.decode(value) if value else None
    return value
