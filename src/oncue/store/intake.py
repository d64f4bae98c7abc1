"""Intake: items from the doors become users, events and consents, each recognised if it was taken in before."""

from __future__ import annotations

from collections.abc import Sequence

from oncue.core import ids
from oncue.core.event import Event
from oncue.core.items import ConsentItem, EventItem, Item, Key, UserItem, Verdict
from oncue.store import consent
from oncue.store.people import change_properties
from oncue.store.seen import day_of, seen_digest
from oncue.store.unit import Unit


def want(unit: Unit, key: str, items: Sequence[Item]) -> None:
    """Say what these items need."""
    wanted = unit.wanted
    for item in items:
        if isinstance(item, EventItem):
            if item.id:
                wanted.seen.add(seen_digest(key, item.id))
            if not changes_user(item):
                continue
        wanted.users.add(item.user)
        wanted.consents.add(item.user)


def changes_user(item: Item) -> bool:
    """Whether it changes who the user is, or what they said."""
    return not isinstance(item, EventItem) or bool(item.user_properties) or item.name in consent.EVENTS


def take(unit: Unit, key: Key, item: Item) -> Verdict:
    """Take one item in; what it needs has been loaded."""
    match item:
        case EventItem():
            return _take_event(unit, key, item)
        case UserItem():
            made = ids.new()
            change_properties(unit, unit.users[item.user], item.properties, unit.now, f"key {key.name}", made)
            return Verdict(made)
        case ConsentItem():
            source = item.source or f"key {key.name}"
            made = consent.record(unit, item.user, item.category, item.state, source, item.timestamp)
            unit.change_user(unit.users[item.user])
            return Verdict(made or ids.new())


def _take_event(unit: Unit, key: Key, item: EventItem) -> Verdict:
    digest = seen_digest(key.id, item.id) if item.id else ""
    if digest and digest in unit.seen:
        unit.count("duplicate", key.name)
        return Verdict(unit.seen[digest], duplicate=True)
    event_id = ids.new()
    if digest:
        unit.add_seen(digest, event_id, day_of(unit.now))
    if item.user_properties:
        change_properties(
            unit, unit.users[item.user], item.user_properties, item.timestamp, f"key {key.name}", event_id
        )
    state = consent.EVENTS.get(item.name)
    if state:
        category = str(item.properties.get("category", "promotional"))
        source = str(item.properties.get("source", f"event {item.name}"))
        before = unit.consents.get((item.user, category))
        at = consent.said_at(unit, state, item.timestamp)
        if not before or before[1] <= at:
            unit.set_consent(item.user, category, state, source, at)
    event = Event(
        id=event_id, user=item.user, name=item.name, properties=item.properties, timestamp=item.timestamp,
        source=key.name, root=event_id,
    )  # fmt: skip
    unit.add_event(event)
    return Verdict(event_id)
