"""Intake: items from the doors become users, events and consents, each recognised if it was taken in before."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from oncue.core import ids
from oncue.core.event import Event, User
from oncue.core.items import ConsentItem, EventItem, Item, JoinItem, Key, UserItem, Verdict
from oncue.core.message import Category
from oncue.store import consent
from oncue.store.people import change_properties
from oncue.store.unit import Unit

_LONGEST_SOURCE = 500
_OF_SOMEBODY = (EventItem, UserItem)
"""A union would be made anew for each item."""


def want(unit: Unit, origin: str, items: Sequence[Item]) -> None:
    """Say what these items need."""
    wanted = unit.wanted
    for item in items:
        if isinstance(item, JoinItem):
            for asked in (wanted.aliases, wanted.users, wanted.consents):
                asked.update((item.alias, item.user))
        if not isinstance(item, ConsentItem) and item.id:
            unit.want_seen(origin, item.id)
        if isinstance(item, _OF_SOMEBODY) and item.anonymous:
            wanted.aliases.add(item.user)
            wanted.users.add(item.user)
        if changes_user(item):
            wanted.users.add(item.user)
            wanted.consents.add(item.user)


def changes_user(item: Item) -> bool:
    """Whether it changes who the user is, or what they said."""
    return not isinstance(item, EventItem) or bool(item.user_properties) or item.name in consent.EVENTS


def resolved(unit: Unit, item: Item, family: str) -> Item:
    """The item, of the user whose anonymous id it gives. An id that is said to be a user's own is that, whatever anybody made of it."""
    if not isinstance(item, _OF_SOMEBODY) or not item.anonymous:
        return item
    found = unit.aliases.get(item.user)
    return msgspec.structs.replace(item, user=found[0], anonymous=False) if found and found[1] == family else item


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
            unit.users[item.user].anonymous = False
            unit.change_user(unit.users[item.user])
            return Verdict(made or ids.new())


def recognised(unit: Unit, key: Key, item: EventItem | UserItem | JoinItem) -> Verdict:
    """Our id for it; if it was taken in before, that of then."""
    if item.id and (first := unit.seen_as(key.origin, item.id)):
        unit.count("duplicate", key.name)
        return Verdict(first, duplicate=True)
    made = ids.new()
    if item.id:
        unit.add_seen(key.origin, item.id, made)
    return Verdict(made)


def _user(unit: Unit, item: EventItem | UserItem) -> User:
    """Whose properties change: anonymous if nobody has said yet who it is."""
    user = unit.users[item.user]
    user.anonymous = item.anonymous and user.anonymous is not False
    return user


def _take_user(unit: Unit, key: Key, item: UserItem) -> Verdict:
    verdict = recognised(unit, key, item)
    if not verdict.duplicate:
        at = item.timestamp or unit.now
        change_properties(unit, _user(unit, item), item.properties, at, f"key {key.name}", verdict.id or "")
    return verdict


def _take_event(unit: Unit, key: Key, item: EventItem) -> Verdict:
    verdict = recognised(unit, key, item)
    if verdict.duplicate:
        return verdict
    event_id = verdict.id or ""
    if item.anonymous and unit.users[item.user].anonymous is None:
        unit.change_user(_user(unit, item))  # that it is a visitor's id is known from now on
    if item.user_properties:
        change_properties(unit, _user(unit, item), item.user_properties, item.timestamp, f"key {key.name}", event_id)
    state = consent.EVENTS.get(item.name)
    if state:
        source = str(item.properties.get("source", f"event {item.name}"))[:_LONGEST_SOURCE]
        for category in consent.categories(state, item.properties.get("category", Category.PROMOTIONAL)):
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
