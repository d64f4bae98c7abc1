"""Explain: for an event or a message, everything that led to it and everything that came of it."""

from __future__ import annotations

import msgspec

from oncue.store.rows import Row, rows

_MOST = 200
"""Rows of each kind at most: a chain has 50 descendants, and a message a few dozen callbacks."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One message and what became of it."""

    message: Row
    attempts: list[Row]
    reports: list[Row]
    """Events about the message: statuses with the provider's raw words, suppressions."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The event that began it, who it was about, what each rule decided, and the messages that followed."""

    event: Row
    user: Row | None
    decisions: list[Row]
    messages: list[Told]
    caused: list[Row]
    """Events that the event's rules emitted."""
    cause: Row | None = None
    """What brought the event about: a message, if it is a status."""


def explain(one: str) -> Explanation | None:
    """For the id of an event or of a message (or its beginning, as listings show it), or the provider's id of a message.

    None if there is nothing of that id.
    """
    message = _by_id("store_message", one) or _first(
        "SELECT * FROM store_message WHERE NOT provider_id = '' AND provider_id = %s", one
    )
    event = _by_id("store_event", message["event"] if message else one)
    if event is None:
        return None
    messages = (
        [message]
        if message
        else rows("SELECT * FROM store_message WHERE event = %s ORDER BY seq LIMIT 200", [event["id"]])
    )
    decisions = rows("SELECT * FROM store_decision WHERE event = %s ORDER BY seq LIMIT 200", [event["id"]])
    if message:
        decisions = [decision for decision in decisions if decision["rule"] == message["rule"]]
    return Explanation(
        event=event,
        user=_first("SELECT id, properties, phone FROM store_user WHERE id = %s", event["user_id"]),
        decisions=decisions,
        messages=[_told(one) for one in messages],
        caused=[] if message else _caused_by(event["id"], event["root"]),
        cause=_first("SELECT * FROM store_message WHERE id = %s", event["cause"]) if event["cause"] else None,
    )


def _told(message: Row) -> Told:
    return Told(
        message=message,
        attempts=rows("SELECT * FROM store_attempt WHERE message = %s ORDER BY seq LIMIT %s", [message["id"], _MOST]),
        reports=_caused_by(message["id"], message["root"]),
    )


def _caused_by(one: str, root: str) -> list[Row]:
    # By root, which has an index; a chain is short.
    sql = "SELECT * FROM store_event WHERE depth > 0 AND root = %s AND cause = %s ORDER BY seq LIMIT %s"
    return rows(sql, [root, one, _MOST])


def _by_id(table: str, one: str) -> Row | None:
    """The row whose id begins so, if it is the only one."""
    if len(one) < 12:
        return None
    found = rows(f"SELECT * FROM {table} WHERE id >= %s AND id < %s ORDER BY id LIMIT 2", [one, one + "g"])
    return found[0] if len(found) == 1 else None


def _first(sql: str, value: str) -> Row | None:
    found = rows(sql + " LIMIT 1", [value])
    return found[0] if found else None
