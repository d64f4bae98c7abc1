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
from oncue.store.consent import OPTED_OUT
from oncue.store.lanes import Lanes
from oncue.store.statements import insert, write
from oncue.store.unit import Unit

_UPSERT_ALIAS = insert(
    "store_alias",
    "id, user_id, source, at",
    "ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, source = excluded.source, at = excluded.at",
)
_MOVES = (
    "UPDATE store_reply SET user_id = %s WHERE user_id = %s AND user_id = %s",
    "UPDATE store_conversation SET user_id = %s WHERE user_id = %s AND address IN (SELECT recipient FROM store_message WHERE user_id = %s)",
    "UPDATE store_event SET user_id = %s WHERE user_id = %s AND user_id = %s",
    "UPDATE store_message SET user_id = %s WHERE user_id = %s AND user_id = %s",
)
"""Each finds its rows by an index: conversations have none by user, so they are found by messages."""


def join(unit: Unit, lanes: Lanes, alias: str, user: str, source: str) -> Verdict:
    """From now on the anonymous id is the user's. Both must be loaded, with what they said.

    An id that was joined to somebody else before is a device that has changed hands: its past stays, its future is the user's.
    """
    user = unit.aliases.get(user, user)
    before = unit.aliases.get(alias)
    if user in (alias, before):
        return Verdict(ids.new(), duplicate=True)
    if before is None:
        if unit.users[alias].anonymous is False:
            return Verdict(error=f"{alias} is a user whom your app has named, so it stays a user of its own.")
        chain.run(unit, lanes)  # what waits to be considered is considered as theirs
        _merge(unit, unit.users[alias], unit.users[user])
        unit.flush()
        _move(alias, user)
        _repeat_in_memory(unit, alias, user)
    unit.aliases[alias] = user
    unit.has_aliases = True
    write(_UPSERT_ALIAS, [(alias, user, source, unit.now)])
    return Verdict(ids.new())


def _merge(unit: Unit, other: User, user: User) -> None:
    user.properties = {**other.properties, **user.properties}
    user.anonymous = False
    unit.change_user(user)
    for category in Category:
        theirs, own = unit.consents.get((other.id, category)), unit.consents.get((user.id, category))
        if theirs and (own is None or (theirs[0] == OPTED_OUT != own[0])):
            unit.set_consent(user.id, category, theirs[0], f"as {other.id}", max(theirs[1], own[1] if own else 0))


def _move(alias: str, user: str) -> None:
    with connection.cursor() as cursor:
        for sql in _MOVES:
            cursor.execute(sql, [user, alias, alias])
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
