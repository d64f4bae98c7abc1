"""What messages say, taken away: their fields, what was said to the provider, and where a refusal quotes them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import connection

from oncue.core import ids
from oncue.core.message import REDACTED_AT, SEGMENTS, redacted
from oncue.store.facts import AMONG, encode
from oncue.store.quotes import EVENT, ask_providers, texts_of, without, write_events
from oncue.store.rows import Row, rows
from oncue.store.statements import update, write
from oncue.store.unit import Unit

log = logging.getLogger("oncue.store")

_UPDATE_MESSAGE = update("store_message", "id", ("fields", "reason", "error_message", "warnings"))
_UPDATE_ATTEMPT = update("store_attempt", "seq", ("reason",))


def redact_messages(unit: Unit, found: Iterable[Row]) -> None:
    """Of these, each with all its columns that are changed here. Inside the writer's transaction."""
    messages = [one for one in found if REDACTED_AT not in (one["fields"] or {})]
    if not messages:
        return
    names = encode([one["id"] for one in messages]).decode()
    with connection.cursor() as cursor:
        sql = f"UPDATE store_attempt SET exchange = '[]' WHERE message {AMONG} AND NOT exchange = '[]'"
        cursor.execute(sql, [names])
    marker = redacted(unit.now)
    texts = {one["id"]: texts_of(one["fields"] or {}, but=(one["recipient"], one["sender"])) for one in messages}
    quoting: dict[str, str] = {}
    """Events that may quote a message → the message."""
    for one in messages:
        quotes = [without(one[name] or "", texts[one["id"]], marker) for name in ("reason", "error_message")]
        if quotes != [one["reason"], one["error_message"]]:
            quoting.update((ids.derived(one["id"], name), one["id"]) for name in _raised(unit, one))
        one["reason"], one["error_message"] = quotes
        one["warnings"] = encode(without(one["warnings"] or [], texts[one["id"]], marker)).decode()
        one["fields"] = encode(_left(unit, one)).decode()
        if known := unit.messages.get(one["id"]):  # another job of this transaction may write it
            known.fields, known.warnings = one["fields"], one["warnings"]
            known.reason, known.error_message = one["reason"], one["error_message"]
    columns = ("id", "fields", "reason", "error_message", "warnings")
    write(_UPDATE_MESSAGE, [tuple(one[name] for name in columns) for one in messages])
    attempts = rows(
        f"SELECT seq, message, reason FROM store_attempt WHERE message {AMONG} AND NOT reason = ''", [names]
    )
    write(_UPDATE_ATTEMPT, [(one["seq"], without(one["reason"], texts[one["message"]], marker)) for one in attempts])
    if quoting:
        events = rows(f"{EVENT} id {AMONG}", [encode(sorted(quoting)).decode()])
        write_events(
            (one["id"], without(one["properties"], texts[quoting[one["id"]]], marker), one["raw"]) for one in events
        )
    ask_providers(unit, ((one["adaptor"], one["provider_id"]) for one in messages))
    unit.count("redacted", "message", len(messages))


def _left(unit: Unit, message: Row) -> dict[str, int]:
    """What stays of the fields: when they were taken away, and how many segments the message took, which only its text says."""
    adaptor = unit.snapshot.catalogue.get(message["adaptor"])
    action = adaptor.action(message["action"]) if adaptor else None
    fields, segments = message["fields"], 0
    try:
        segments = action.preview(fields).segments if action and action.preview and fields else 0
    except Exception:  # contained: what it says is taken away all the same, and others' too
        log.exception("the segments of message %s could not be counted because of a fault in oncue", message["id"])
    return {REDACTED_AT: unit.now, **({SEGMENTS: segments} if segments else {})}


def _raised(unit: Unit, message: Row) -> list[str]:
    """The events about a message."""
    adaptor = unit.snapshot.catalogue.get(message["adaptor"])
    statuses = [one for one in message["raised"].split(",") if one]
    return [f"message.{one}" for one in statuses] + ([adaptor.event(one) for one in statuses] if adaptor else [])
