"""Intake: items from the doors become users, events and consents, each recognised if it was taken in before."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from oncue.core import ids
from oncue.core.event import Event, User
from oncue.core.items import ConsentItem, EventItem, Item, JoinItem, Key, UserItem, Verdict
from oncue.store import consent
from oncue.store.people import change_properties
from oncue.store.seen import day_of, seen_digest
from oncue.store.unit import Unit


def want(unit: Unit, origin: str, items: Sequence[Item]) -> None:
    """Say what these items need."""
    wanted = unit.wanted
    for item in items:
        if isinstance(item, JoinItem):
            for asked in (wanted.aliases, wanted.users, wanted.consents):
                asked.update((item.alias, item.user))
            continue
        if unit.has_aliases:
            wanted.aliases.add(item.user)
        if isinstance(item, EventItem | UserItem):
            if item.id:
                wanted.seen.add(seen_digest(origin, item.id))
            if not changes_user(item):
                continue
        wanted.users.add(item.user)
        wanted.consents.add(item.user)


def changes_user(item: Item) -> bool:
    """Whether it changes who the user is, or what they said."""
    return not isinstance(item, EventItem) or bool(item.user_properties) or item.name in consent.EVENTS


def resolved(unit: Unit, item: Item) -> Item:
    """The item, of the user whose id it gives, whatever id that is."""
    user = unit.aliases.get(item.user)
    if user is None or isinstance(item, JoinItem):
        return item
    if isinstance(item, ConsentItem):
        return msgspec.structs.replace(item, user=user)
    return msgspec.structs.replace(item, user=user, anonymous=False)


def take(unit: Unit, key: Key, item: EventItem | UserItem | ConsentItem) -> Verdict:
    """Take one item in; what it needs has been loaded."""
    match item:
        case EventItem():
            return _take_event(unit, key, item)
        case UserItem():
            return _take_user(unit, key, item)
        case ConsentItem():
            source = item.source or f"key {key.name}"
            made = consent.record(unit, item.user, item.category, item.state, source, item.timestamp)
            unit.change_user(unit.users[item.user])
            return Verdict(made or ids.new())


def _recognised(unit: Unit, key: Key, item: EventItem | UserItem) -> Verdict:
    """Our id for it; if it was taken in before, that of then."""
    digest = seen_digest(key.origin, item.id) if item.id else ""
    if digest and digest in unit.seen:
        unit.count("duplicate", key.name)
        return Verdict(unit.seen[digest], duplicate=True)
    made = ids.new()
    if digest:
        unit.add_seen(digest, made, day_of(unit.now))
    return Verdict(made)


def _user(unit: Unit, item: EventItem | UserItem) -> User:
    """Whose properties change: anonymous if nobody has said yet who it is."""
    user = unit.users[item.user]
    user.anonymous = item.anonymous and user.anonymous is not False
    return user


def _take_user(unit: Unit, key: Key, item: UserItem) -> Verdict:
    verdict = _recognised(unit, key, item)
    if not verdict.duplicate:
        change_properties(unit, _user(unit, item), item.properties, unit.now, f"key {key.name}", verdict.id or "")
    return verdict


def _take_event(unit: Unit, key: Key, item: EventItem) -> Verdict:
    verdict = _recognised(unit, key, item)
    if verdict.duplicate:
        return verdict
    event_id = verdict.id or ""
    if item.user_properties:
        change_properties(unit, _user(unit, item), item.user_properties, item.timestamp, f"key {key.name}", event_id)
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
    return verdict
