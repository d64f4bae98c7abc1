"""Joining: who was known by an anonymous id (a visitor's, a device's) turns out to be a user.

What was theirs becomes the user's: history, properties that the user has not got, and what they said about messages, where a no outweighs a
yes. Only someone whom nobody has named can be joined to another: keys of SDKs are public, and no call may make one user of two.
"""

from __future__ import annotations

from django.db import connection

from oncue.core import ids
from oncue.core.event import User
from oncue.core.items import Verdict
from oncue.core.message import Category
from oncue.store import chain
from oncue.store.consent import OPTED_IN, OPTED_OUT, record
from oncue.store.lanes import Lanes
from oncue.store.statements import insert, write
from oncue.store.unit import Unit

_UPSERT_ALIAS = insert(
    "store_alias",
    "id, user_id, source, at",
    "ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, source = excluded.source, at = excluded.at",
)
_MOVES = (
    "UPDATE store_reply SET user_id = %s WHERE user_id = %s",
    "UPDATE store_conversation SET user_id = %s WHERE user_id = %s",
    "UPDATE store_event SET user_id = %s WHERE user_id = %s",
    "UPDATE store_message SET user_id = %s WHERE user_id = %s",
)
"""Each finds its rows by an index."""


def join(unit: Unit, lanes: Lanes, alias: str, user: str, source: str) -> Verdict:
    """From now on the anonymous id is the user's. Both must be loaded, with what they said. `source` is whose id it is (`Key.family`).

    An id that was joined to somebody else before is a device that has changed hands: its past stays, its future is the user's.
    """
    known = unit.aliases.get(alias)
    if known and known[1] != source:
        return Verdict(error=f"{alias} is an id of {known[1]}, and stays whose it is there.")
    if user == alias or (known and known[0] == user):
        return Verdict(ids.new(), duplicate=True)
    if known is None:
        chain.run(unit, lanes)  # what waits to be considered is considered as theirs
        unit.flush()
        if not _is_nobody_else(unit.users[alias]):
            return Verdict(error=f"{alias} is a user whom your app has named, so it stays a user of its own.")
        _merge(unit, unit.users[alias], unit.users[user])
    unit.users[user].anonymous = False
    unit.change_user(unit.users[user])
    unit.flush()
    if known is None:
        _move(alias, user)
        _repeat_in_memory(unit, alias, user)
    unit.aliases[alias] = (user, source)
    write(_UPSERT_ALIAS, [(alias, user, source, unit.now)])
    return Verdict(ids.new())


def _is_nobody_else(user: User) -> bool:
    """Whether this id is known as a visitor's or a device's, or has never been heard of."""
    if user.anonymous is not None:
        return user.anonymous
    with connection.cursor() as cursor:
        cursor.execute(_HEARD_OF, [user.id] * 3)
        return not cursor.fetchone()[0]


_HEARD_OF = """
SELECT EXISTS (SELECT 1 FROM store_event WHERE user_id = %s) OR EXISTS (SELECT 1 FROM store_consent WHERE user_id = %s)
  OR EXISTS (SELECT 1 FROM store_message WHERE user_id = %s)
"""


def _merge(unit: Unit, other: User, user: User) -> None:
    user.properties = {**other.properties, **user.properties}
    for category in Category:
        theirs, own = unit.consents.get((other.id, category)), unit.consents.get((user.id, category))
        if theirs and (own is None or (theirs[0] == OPTED_OUT != own[0])):
            at = max(theirs[1], own[1] if own else 0)
            record(unit, user.id, category, theirs[0], f"as {other.id}", at)
            if f"consent_{category}" in user.properties:
                user.properties[f"consent_{category}"] = theirs[0] == OPTED_IN


def _move(alias: str, user: str) -> None:
    with connection.cursor() as cursor:
        for sql in _MOVES:
            cursor.execute(sql, [user, alias])
        cursor.execute("DELETE FROM store_consent WHERE user_id = %s", [alias])
        cursor.execute("DELETE FROM store_user WHERE id = %s", [alias])


def _repeat_in_memory(unit: Unit, alias: str, user: str) -> None:
    """What this transaction has read is as if it had been read now."""
    unit.users[alias] = User(id=alias, properties={})
    for message in unit.messages.values():
        if message.user == alias:
            message.user = user
    for pair in [pair for pair in unit.consents if pair[0] == alias]:
        del unit.consents[pair]
    for numbers, (one, message_id) in unit.conversations.items():
        if one == alias:
            unit.conversations[numbers] = (user, message_id)
    theirs = {number for number, owners in unit.owners.items() if alias in owners}
    for number in theirs:
        del unit.owners[number]
    unit.load_conversations({(number, "") for number in theirs})
    for counted in (unit.sent, unit.at_hand):
        counted.pop(alias, None)
        counted.pop(user, None)
