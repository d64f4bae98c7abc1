"""Retention: how long what comes and goes is kept, and how it is forgotten, a bounded number of rows in each transaction.

Rows are in the order of their making, so what is old enough is found from the beginning of each table by its own key; a cursor says how
far it was looked through, so that what must stay (a message that nobody knows the end of) is not looked at again and again.
"""

from __future__ import annotations

from itertools import takewhile

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.core.fields import Fault
from oncue.core.message import IN_DOUBT, State
from oncue.store import audit, bodies
from oncue.store.facts import AMONG, encode
from oncue.store.rows import rows

SHORTEST = 40
"""Days for which rows are kept: events are accepted 30 days late, clients' ids recognised for 35, and caps count messages of 30 days; nothing of that may be missing."""

SHORTEST_BODIES = 1
"""What a message says is needed for none of that."""

LONGEST = 3_650

MOST = 500
"""Rows looked at in one transaction."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Days; 0 is for good."""

    messages: int = 0
    """Messages with their attempts, and replies."""
    exchanges: int = 0
    """What was said to the provider and what it answered, of each attempt: often the biggest part."""
    events: int = 0
    """Events, with the decisions about them."""
    bodies: int = 0
    """What messages and replies say, here and at the provider; the rest of them stays."""


def read_retention() -> Retention:
    """What is kept how long."""
    found = rows("SELECT value FROM store_setting WHERE name = 'retention'", [])
    try:
        return msgspec.json.decode(found[0]["value"], type=Retention) if found else Retention()
    except msgspec.DecodeError:  # kept for good rather than forgotten by mistake
        return Retention()


def read_values(given: dict[str, str]) -> tuple[Retention, list[Fault]]:
    """What a form says, and what is wrong with it. A field left empty is 0: for good."""
    values, faults = {}, []
    for name in Retention.__struct_fields__:
        text = str(given.get(name) or "0").strip()
        days = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1
        shortest = SHORTEST_BODIES if name == "bodies" else SHORTEST
        if days and not shortest <= days <= LONGEST:
            faults.append(
                Fault(name, f"Give a number of days from {shortest} to {LONGEST}, or 0 to keep them for good.")
            )
        values[name] = max(days, 0)
    if not faults and values["messages"] and values["bodies"] > values["messages"]:
        said = (
            "A message that is deleted here could not be redacted at the provider any more: redact no later than that."
        )
        faults.append(Fault("bodies", said))
    if not faults and values["events"] and not 0 < values["messages"] <= values["events"]:
        faults.append(
            Fault("events", "A message is shown with the event behind it: keep events as long as messages, or longer.")
        )
    return (Retention() if faults else Retention(**values)), faults


def save_retention(retention: Retention, by: str) -> bool:
    """Keep what comes and goes for so long from now on; whether that is new. Inside a transaction."""
    before = read_retention()
    if retention == before:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_setting (name, value) VALUES ('retention', %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [msgspec.json.encode(retention).decode()],
        )
    audit.record(by, "changed", "setting", "retention", msgspec.to_builtins(before), msgspec.to_builtins(retention))
    return True


def begin(what: str) -> int:
    """The key after which to look: of exchanges, whose rows stay, those that were emptied before are not looked at again."""
    found = rows("SELECT value FROM store_setting WHERE name = %s", [_EMPTIED]) if what == "exchanges" else []
    return int(found[0]["value"]) if found else 0


def forget(what: str, after: int, older_than: int) -> int | None:
    """Forget rows of one kind older than that (milliseconds), among the next ones after the key `after`. Returns the key to go on from; None
    when there is nothing more that is old enough. Inside a transaction."""
    forget_some, table, at = _KINDS[what]
    found = rows(f"SELECT seq, {at} AS at FROM {table} WHERE seq > %s ORDER BY seq LIMIT %s", [after, MOST])
    old = list(takewhile(lambda row: row["at"] < older_than, found))
    if not old:
        return None
    until = int(old[-1]["seq"])
    if what in ("messages", "replies") and read_retention().bodies:
        until = min(until, getattr(bodies.read_place(), what))  # the provider is asked to forget them first
        if until <= after:
            return None
    forget_some(after, until, older_than)
    return until


def _messages(after: int, until: int, older_than: int) -> None:
    """With their attempts. One that still waits, is under way or unknown stays."""
    open_states = ", ".join(f"'{state.value}'" for state in (State.WAITING, *IN_DOUBT))
    which = f"seq > %s AND seq <= %s AND created_at < %s AND state NOT IN ({open_states}) AND NOT seq {AMONG}"
    with connection.cursor() as cursor:
        noted = bodies.read_place().open if read_retention().bodies else []
        values: list[int | str] = [after, until, older_than, encode(noted).decode()]
        cursor.execute(
            f"DELETE FROM store_attempt WHERE message IN (SELECT id FROM store_message WHERE {which})", values
        )
        cursor.execute(f"DELETE FROM store_message WHERE {which}", values)


def _replies(after: int, until: int, older_than: int) -> None:
    """Those that somebody has dealt with, and those that nobody did in all the time."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_reply WHERE seq > %s AND seq <= %s AND at < %s", [after, until, older_than])


def _exchanges(after: int, until: int, older_than: int) -> None:
    with connection.cursor() as cursor:
        sql = "UPDATE store_attempt SET exchange = '[]' WHERE seq > %s AND seq <= %s AND ended_at < %s"
        cursor.execute(sql, [after, until, older_than])
        sql = "INSERT INTO store_setting (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        cursor.execute(sql, [_EMPTIED, str(until)])


_EMPTIED = "exchanges_emptied_until"


def _events(after: int, until: int, older_than: int) -> None:
    """With the decisions about them. One behind a message that is still there (sent again, or unknown) stays with it."""
    kept = "SELECT 1 FROM store_message WHERE store_message.event = store_event.id"
    which = f"seq > %s AND seq <= %s AND received_at < %s AND NOT EXISTS ({kept})"
    with connection.cursor() as cursor:
        values = [after, until, older_than]
        cursor.execute(f"DELETE FROM store_decision WHERE event IN (SELECT id FROM store_event WHERE {which})", values)
        cursor.execute(f"DELETE FROM store_event WHERE {which}", values)


_KINDS = {
    "messages": (_messages, "store_message", "created_at"),
    "replies": (_replies, "store_reply", "at"),
    "exchanges": (_exchanges, "store_attempt", "ended_at"),
    "events": (_events, "store_event", "received_at"),
}


def due(retention: Retention) -> list[tuple[str, int]]:
    """What is forgotten: (kind, older than that time in milliseconds)."""
    days = {
        "messages": retention.messages,
        "replies": retention.messages,
        "exchanges": retention.exchanges,
        "events": retention.events,
    }
    return [(what, clock.now() - count * clock.DAY) for what, count in days.items() if count]
