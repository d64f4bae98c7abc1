"""Chains: events are considered by rules, whose actions make messages and further events, until nothing new comes.

Works in waves, so that what one wave needs from the database is read once for all of it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from oncue.core import ids
from oncue.core.adaptor import reserved
from oncue.core.event import MAX_DEPTH, MAX_DESCENDANTS, Event, User
from oncue.core.reasons import SENTENCES, Reason
from oncue.rules.compile import Compiled
from oncue.rules.engine import decide
from oncue.rules.spec import Decision, Planned
from oncue.store import outbox
from oncue.store.lanes import Lanes
from oncue.store.people import change_properties
from oncue.store.unit import Unit, encode


def run(unit: Unit, lanes: Lanes, *, contain: bool = True) -> None:
    """Consider every fresh event, and whatever that brings about."""
    while unit.fresh:
        wave = list(unit.fresh)
        unit.fresh.clear()
        unit.awaiting.clear()
        index = unit.snapshot.index
        considered = [(event, rules) for event in wave if (rules := index.triggered_by(event.name))]
        if not considered:
            continue
        unit.load_users({event.user for event, _ in considered if event.user})
        unit.load_descendants({event.root for event, _ in considered if event.depth > 0})
        plans: list[outbox.Plan] = []
        for event, rules in considered:
            user = unit.users.get(event.user) or User(id=event.user, properties={})
            for rule in rules:
                plans += _consider(unit, event, user, rule, contain)
        outbox.place(unit, lanes, plans)


def _consider(unit: Unit, event: Event, user: User, rule: Compiled, contain: bool) -> list[outbox.Plan]:
    cut = _cut(unit, event)
    decision = (
        Decision(rule=rule.spec.key, acted=False, reason=cut) if cut else decide(rule, event, user, contain=contain)
    )
    plans: list[outbox.Plan] = []
    if decision.acted:
        unit.count("fired", rule.spec.key)
        for planned in decision.planned:
            if _cut(unit, event):
                _raise_cut(unit, event, rule, Reason.CHAIN_TOO_WIDE)
                break
            unit.descendants[event.root] = unit.descendants.get(event.root, 0) + (planned.action != "user.update")
            plans += _carry_out(unit, event, user, rule, planned)
    elif cut:
        _raise_cut(unit, event, rule, cut)
    unit.add_decision(
        event.id,
        rule.spec.key,
        unit.snapshot.revisions.get(rule.spec.key, 0),
        decision.acted,
        decision.reason,
        decision.sentence or SENTENCES[decision.reason],
        _trace(decision),
        unit.now,
    )
    return plans


def _cut(unit: Unit, event: Event) -> Reason | None:
    if event.depth >= MAX_DEPTH:
        return Reason.CHAIN_TOO_DEEP
    if unit.descendants.get(event.root, 0) >= MAX_DESCENDANTS:
        return Reason.CHAIN_TOO_WIDE
    return None


def _raise_cut(unit: Unit, event: Event, rule: Compiled, reason: Reason) -> None:
    """Said with an event, so that it shows; nothing is triggered by it."""
    properties = {"rule": rule.spec.key, "event": event.name, "reason": reason.value, "sentence": SENTENCES[reason]}
    child = _child(
        event, ids.derived(event.id, rule.spec.key, "rule.chain_cut"), "rule.chain_cut", properties, unit.now
    )
    unit.add_event(child, consider=False)


def _child(event: Event, event_id: str, name: str, properties: dict[str, Any], now: int) -> Event:
    return Event(
        id=event_id, user=event.user, name=name, properties=properties, timestamp=now,
        source="rule", cause=event.id, root=event.root, depth=event.depth + 1,
    )  # fmt: skip


def _carry_out(unit: Unit, event: Event, user: User, rule: Compiled, planned: Planned) -> list[outbox.Plan]:
    planned = _checked(unit, planned)
    if planned.problem is None and planned.action == "user.update":
        source = f"rule {rule.spec.key}"
        change_properties(unit, user, planned.fields["properties"], event.timestamp, source, event.id, event)
        return []
    if planned.problem is None and planned.action == "event.emit":
        emitted = ids.derived(event.id, rule.spec.key, str(planned.index))
        properties = planned.fields.get("properties") or {}
        unit.add_event(_child(event, emitted, planned.fields["name"], properties, unit.now))
        return []
    return [outbox.Plan(event=event, user=user, rule=rule.spec, planned=planned)]


def _checked(unit: Unit, planned: Planned) -> Planned:
    """What a template made may be no map, or a name that only oncue and the adaptors raise: then the action is not carried out."""
    if planned.problem is not None or planned.action not in ("user.update", "event.emit"):
        return planned
    fields = planned.fields
    if not isinstance(fields.get("properties") or {}, dict):
        sentence = "Properties must be a map of names to values."
    elif planned.action == "event.emit" and str(fields["name"]).startswith(reserved(unit.snapshot.catalogue)):
        sentence = f"The event name {fields['name']!r} begins like one that oncue or an adaptor raises; choose another."
    else:
        return planned
    return msgspec.structs.replace(planned, problem=Reason.INVALID_FIELD, sentence=sentence)


def _trace(decision: Decision) -> str:
    return encode(decision.conditions).decode() if decision.conditions else "[]"
