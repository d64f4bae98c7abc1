"""What people wrote, taken away: the reply, the events that say so, and where what followed quotes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from oncue.core.adaptor import Adaptor
from oncue.core.message import redacted
from oncue.store.facts import AMONG, encode
from oncue.store.quotes import EVENT, SHORTEST_TEXT, ask_providers, emptied, without, write_events
from oncue.store.rows import Row, rows
from oncue.store.statements import update, write
from oncue.store.unit import Unit

_ABOUT = {"message.suppressed", "message.expired"}
_UPDATE_DECISION = update("store_decision", "seq", ("trace",))
_UPDATE_NAME = update("store_eventname", "name", ("properties",))


def redact_replies(unit: Unit, replies: list[Row]) -> None:
    """Of these: their place, event, adaptor and body. Inside the writer's transaction."""
    if not replies:
        return
    marker = redacted(unit.now)
    with connection.cursor() as cursor:
        sql = f"UPDATE store_reply SET body = %s WHERE seq {AMONG}"
        cursor.execute(sql, [marker, encode([one["seq"] for one in replies]).decode()])
    by_event = {one["event"]: one for one in replies}
    ids = encode(sorted(by_event)).decode()
    events = rows(f"{EVENT} id {AMONG}", [ids]) + rows(f"{EVENT} root {AMONG} AND depth > 0", [ids])
    adaptors = {name: unit.snapshot.catalogue.get(name) for name in {one["adaptor"] for one in replies}}
    changed, asked = [], []
    for one in events:
        reply = by_event[one["root"]]
        adaptor = adaptors[reply["adaptor"]]
        said = adaptor.said if adaptor else ()
        if one["id"] == reply["event"] and adaptor:
            asked.append((adaptor.name, str((one["properties"] or {}).get(adaptor.received_id) or "")))
        keys = said if one["source"] == reply["adaptor"] else ()
        texts = [reply["body"]] if len(reply["body"]) >= SHORTEST_TEXT else []
        properties, raw = (
            without(emptied(value, keys, said, marker), texts, marker) for value in (one["properties"], one["raw"])
        )
        changed.append((one["id"], properties, raw))
    write_events(changed)
    _redact_traces({one["id"]: by_event[one["root"]]["body"] for one in events}, marker)
    for found in adaptors.values():
        if found:
            names = {one["name"] for one in events} | {found.event(one.name) for one in found.events} | _ABOUT
            _redact_examples(
                found, names, [one["body"] for one in replies if len(one["body"]) >= SHORTEST_TEXT], marker
            )
    ask_providers(unit, asked)
    unit.count("redacted", "reply", len(replies))


def _redact_traces(bodies: Mapping[str, str], marker: str) -> None:
    """What conditions saw. Here a short text is known by being the whole of what was seen."""
    decisions = rows(
        f"SELECT seq, event, trace FROM store_decision WHERE event {AMONG}", [encode(sorted(bodies)).decode()]
    )
    changed = []
    for one in decisions:
        trace = _unseen(one["trace"], bodies[one["event"]], marker)
        if trace != one["trace"]:
            changed.append((one["seq"], encode(trace).decode()))
    write(_UPDATE_DECISION, changed)


def _unseen(trace: Any, body: str, marker: str) -> Any:
    if isinstance(trace, list):
        return [_unseen(one, body, marker) for one in trace]
    if not isinstance(trace, dict):
        return trace
    texts = [body] if len(body) >= SHORTEST_TEXT else []
    seen = trace.get("seen")
    shown = {"seen": marker if seen == body and body else without(seen, texts, marker)} if "seen" in trace else {}
    return {**trace, **shown, **({"parts": _unseen(trace["parts"], body, marker)} if "parts" in trace else {})}


def _redact_examples(adaptor: Adaptor, names: Iterable[str], texts: list[str], marker: str) -> None:
    """What is shown as an example of a property was somebody's first reply, or a rule's quote of it."""
    changed = []
    for one in rows(
        f"SELECT name, properties FROM store_eventname WHERE name {AMONG}", [encode(sorted(names)).decode()]
    ):
        examples = without(emptied(one["properties"] or {}, adaptor.said, adaptor.said, marker), texts, marker)
        if examples != one["properties"]:
            changed.append((one["name"], encode(examples).decode()))
    write(_UPDATE_NAME, changed)
