"""Explain: for an event or a message, everything that led to it and everything that came of it."""

from __future__ import annotations

import msgspec

from oncue.core.items import Key
from oncue.store.rows import Row, rows
from oncue.store.seen import digest_before, seen_digest

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


class Alike(msgspec.Struct, frozen=True):
    """Events and messages that an id could mean."""

    count: int
    """As far as they are counted: `MOST_ALIKE` means at least so many."""
    newest: list[Row]
    """Some of them: `kind` (event or message), id, name (of the event, or of the message's rule), user_id and at."""


MOST_ALIKE = 100


def explain(one: str) -> Explanation | None:
    """For the id of an event or of a message (or its beginning, as listings show it), the provider's id of a message, or the id that an
    app gave its event.

    None if there is nothing of that id, or several: see `alike`.
    """
    message = _by_id("store_message", one) or _first(
        "SELECT * FROM store_message WHERE NOT provider_id = '' AND provider_id = %s", one
    )
    event = _by_id("store_event", message["event"] if message else one)
    if event is None and len(sent := _sent_as(one)) == 1:
        event = _by_id("store_event", sent[0])
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


def alike(one: str) -> Alike:
    """What there is if `explain` cannot tell which is meant: ids that begin so, or the same id sent with several API keys."""
    sent = _sent_as(one)
    named = f"id IN ({', '.join(['%s'] * len(sent))})" if sent else "id >= %s AND id < %s"
    values = sent or [one, one + "g"]
    found = [
        *rows(
            f"SELECT 'event' AS kind, id, name, user_id, timestamp AS at FROM store_event WHERE {named} ORDER BY id DESC LIMIT %s",
            [*values, MOST_ALIKE],
        ),
        *rows(
            f"SELECT 'message' AS kind, id, rule AS name, user_id, created_at AS at FROM store_message WHERE {named} ORDER BY id DESC LIMIT %s",
            [*values, MOST_ALIKE],
        ),
    ]
    return Alike(min(len(found), MOST_ALIKE), sorted(found, key=lambda row: str(row["id"]), reverse=True)[:5])


def _sent_as(one: str) -> list[str]:
    """Our ids of the events that apps sent with that id: one for each API key at most."""
    keys = [Key(**row) for row in rows("SELECT id, name, source, app FROM store_apikey", [])]
    digests = [digest(key.origin, one) for key in keys for digest in (seen_digest, digest_before)]
    if not digests:
        return []
    found = rows(f"SELECT event FROM store_seen WHERE digest IN ({', '.join(['%s'] * len(digests))})", digests)
    return [row["event"] for row in found]


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
