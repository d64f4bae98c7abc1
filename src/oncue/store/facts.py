"""What one transaction needs to know: read in a few statements for the whole group, then held in memory.

Jobs first say what they will ask for (`wanted`); `load_wanted` fetches it all at once. What turns up later (the recipients of new
messages, say) is loaded wave by wave. Each table is read once however many jobs share the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.core.event import User
from oncue.core.message import State
from oncue.store.message import COLUMNS, FIELDS, Message

decode = msgspec.json.decode
encode = msgspec.json.Encoder().encode

# A partial index serves only statements that repeat its condition word for word: NOT x = '', not x <> ''.
SENT = (State.SUBMITTING, State.ACCEPTED, State.UNKNOWN)
"""States of a message that the person got, is getting or may have got."""

AMONG = "IN (SELECT value FROM json_each(%s))"
"""One statement text whatever the number of values, so that it is prepared once."""

_SENT = f"""
WITH RECURSIVE search(old, step) AS (
  SELECT 0, 1099511627776
  UNION ALL
  SELECT old + CASE WHEN (SELECT created_at FROM store_message WHERE seq >= old + step ORDER BY seq LIMIT 1) < %s THEN step ELSE 0 END, step / 2
  FROM search WHERE step > 0
)
SELECT user_id, COUNT(*) FROM store_message
WHERE user_id {AMONG} AND seq > (SELECT MAX(old) FROM search) AND due_at >= %s AND state {AMONG} AND category {AMONG}
  AND adaptor || '.' || action {AMONG} AND NOT id {AMONG}
GROUP BY user_id
"""
"""Rows are in the order of their making, so the first of a time is found as in a dictionary, by halves: 40 rows are looked at however many
there are, and of each user only those since."""

_SELECT_MESSAGE = f"SELECT {', '.join(COLUMNS)} FROM store_message WHERE "


class OptOutState(msgspec.Struct):
    """What a number's ledger says of one scope."""

    opted_out: bool
    source: str
    at: int


class Sent(msgspec.Struct, frozen=True):
    """Which messages count towards a cap: those due since then of these categories and kinds (`adaptor.action`)."""

    since: int
    categories: tuple[str, ...]
    kinds: tuple[str, ...]

    def counts(self, message: Message) -> bool:
        """Whether this one was sent, or is being sent, and counts."""
        return message.state in SENT and self.is_kind(message) and message.due_at >= self.since

    def is_kind(self, message: Message) -> bool:
        """Whether it counts once it is sent."""
        return message.category in self.categories and f"{message.adaptor}.{message.action}" in self.kinds


class Wanted:
    """What the jobs of a group said they will ask for."""

    __slots__ = ("addresses", "aliases", "consents", "messages", "pairs", "provider_ids", "seen", "users")

    def __init__(self) -> None:
        self.users: set[str] = set()
        self.aliases: set[str] = set()
        """Anonymous ids, which may be found to be users'."""
        self.consents: set[str] = set()
        self.seen: set[str] = set()
        self.messages: set[str] = set()
        self.provider_ids: set[str] = set()
        self.addresses: set[str] = set()
        self.pairs: set[tuple[str, str]] = set()
        """(address, sender) of people who wrote to us."""


class Facts:
    """What has been read so far. Changes made in this transaction are made here too, so that later jobs see them."""

    def __init__(self) -> None:
        self.wanted = Wanted()
        self.users: dict[str, User] = {}
        self.aliases: dict[str, tuple[str, str]] = {}
        """Anonymous id → (user, whose id it is: `Key.family`)."""
        self.messages: dict[str, Message] = {}
        self.by_provider: dict[tuple[str, str], Message] = {}
        self.seen: dict[str, str] = {}
        self.consents: dict[tuple[str, str], tuple[str, int]] = {}
        self.opt_outs: dict[tuple[str, str], OptOutState] = {}
        self.conversations: dict[tuple[str, str], tuple[str, str]] = {}
        """(address, sender) → (user, message) last texted on that pair."""
        self.owners: dict[str, list[str]] = {}
        """Phone number → users with that number, two at most."""
        self.triggers: dict[str, dict[str, Any]] = {}
        self.descendants: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        """User → messages that count towards the cap, without those in `at_hand`."""
        self.at_hand: dict[str, dict[str, Message]] = {}
        """User → messages by id that count if this transaction leaves them sent."""
        self._read_consents: set[str] = set()
        self._read_addresses: set[str] = set()

    def load_wanted(self) -> None:
        """Fetch what the jobs asked for, and the triggers of the messages among it."""
        wanted = self.wanted
        self.load_seen(wanted.seen)
        self._load_aliases(wanted.aliases)
        self.load_users(wanted.users)
        self.load_consents(wanted.consents)
        self.load_messages(wanted.messages)
        self.load_messages_by_provider(wanted.provider_ids)
        self.load_triggers(message.event for message in self.messages.values())
        self.load_opt_outs(wanted.addresses)
        self.load_conversations(wanted.pairs)

    def load_users(self, ids: Iterable[str]) -> None:
        """Have the users at hand; those who do not exist yet begin without properties."""
        wanted = {one for one in ids if one not in self.users}
        for one, properties, anonymous in self._query(
            "SELECT id, properties, anonymous FROM store_user WHERE id ", wanted
        ):
            self.users[one] = User(id=one, properties=decode(properties), anonymous=bool(anonymous))
        for one in wanted:
            if one not in self.users:
                self.users[one] = User(id=one, properties={})

    def _load_aliases(self, ids: set[str]) -> None:
        """Whose these ids are; what is asked of an id is asked of its user too."""
        for one, user, source in self._query("SELECT id, user_id, source FROM store_alias WHERE id ", ids):
            self.aliases[one] = (user, source)
        for asked in (self.wanted.users, self.wanted.consents):
            asked.update([self.aliases[one][0] for one in asked & self.aliases.keys()])

    def load_seen(self, digests: set[str]) -> None:
        """Which of the clients' ids were taken in before."""
        self.seen.update(self._query("SELECT digest, event FROM store_seen WHERE digest ", digests - self.seen.keys()))

    def load_messages(self, ids: Iterable[str]) -> None:
        """Have the messages at hand."""
        for row in self._query(_SELECT_MESSAGE + "id ", {one for one in ids if one not in self.messages}):
            self.keep(Message(**dict(zip(FIELDS, row, strict=True))))

    def load_messages_by_provider(self, provider_ids: set[str]) -> None:
        for row in self._query(_SELECT_MESSAGE + "NOT provider_id = '' AND provider_id ", provider_ids):
            self.keep(Message(**dict(zip(FIELDS, row, strict=True))))

    def keep(self, message: Message) -> Message:
        """Have this message at hand; the copy already in use wins."""
        message = self.messages.setdefault(message.id, message)
        if message.provider_id:
            self.by_provider[message.adaptor, message.provider_id] = message
        return message

    def load_triggers(self, events: Iterable[str]) -> None:
        """Have the properties of these events at hand: what a status event carries as `trigger`."""
        wanted = {one for one in events if one not in self.triggers}
        for one, properties in self._query("SELECT id, properties FROM store_event WHERE id ", wanted):
            self.triggers[one] = decode(properties)

    def load_consents(self, users: Iterable[str]) -> None:
        """Have what these users said to each category at hand."""
        wanted = {one for one in users if one not in self._read_consents}
        self._read_consents |= wanted
        sql = "SELECT user_id, category, state, at FROM store_consent WHERE user_id "
        for user, category, state, at in self._query(sql, wanted):
            self.consents.setdefault((user, category), (state, at))

    def load_opt_outs(self, addresses: Iterable[str]) -> None:
        """Have the opt-outs of these numbers at hand."""
        wanted = {one for one in addresses if one not in self._read_addresses}
        self._read_addresses |= wanted
        sql = "SELECT address, scope, source, at, lifted_at FROM store_optout WHERE address "
        for address, scope, source, at, lifted_at in self._query(sql, wanted):
            self.opt_outs.setdefault((address, scope), OptOutState(lifted_at is None, source, at))

    def load_sent(self, users: Iterable[str], which: Sent) -> None:
        """How many such messages these users were sent."""
        wanted = {one for one in users if one not in self.sent}
        if not wanted:
            return
        self.sent.update(dict.fromkeys(wanted, 0))
        known = []
        for message in self.messages.values():  # their state here may be news to the database
            if message.user in wanted and which.is_kind(message):
                self.at_hand.setdefault(message.user, {})[message.id] = message
                known.append(message.id)
        lists = [encode(one).decode() for one in (SENT, which.categories, which.kinds, known)]
        with connection.cursor() as cursor:
            # A day more than is counted: a message may have waited for its turn, and a clock may have been put back.
            values: list[Any] = [which.since - clock.DAY, encode(sorted(wanted)).decode(), which.since, *lists]
            cursor.execute(_SENT, values)
            self.sent.update(cursor.fetchall())

    def load_descendants(self, roots: Iterable[str]) -> None:
        """How many messages and emitted events each chain already has."""
        wanted = {one for one in roots if one not in self.descendants}
        self.descendants.update(dict.fromkeys(wanted, 0))
        for sql in (
            "SELECT root, COUNT(*) FROM store_message WHERE root {} GROUP BY root",
            "SELECT root, COUNT(*) FROM store_event WHERE depth > 0 AND source = 'rule' AND root {} GROUP BY root",
        ):
            for root, count in self._rows(sql.format(AMONG), wanted):
                self.descendants[root] += count

    def forget(self, user: str) -> None:
        """Nothing of a user who was erased stays at hand: whoever comes next in this transaction finds what the database has, which is nothing."""
        gone = {one.id for one in self.messages.values() if one.user == user}
        self.messages = {name: one for name, one in self.messages.items() if name not in gone}
        self.by_provider = {name: one for name, one in self.by_provider.items() if one.id not in gone}
        if user in self.users:
            self.users[user] = User(id=user, properties={})
        self.consents = {name: said for name, said in self.consents.items() if name[0] != user}
        self.conversations = {pair: known for pair, known in self.conversations.items() if known[0] != user}
        self.owners = {phone: [one for one in owners if one != user] for phone, owners in self.owners.items()}
        self.at_hand.pop(user, None)
        self.sent.pop(user, None)
        self.aliases = {one: known for one, known in self.aliases.items() if known[0] != user}

    def load_conversations(self, pairs: set[tuple[str, str]]) -> None:
        """Have at hand who was last texted on these pairs of numbers, and whose numbers they are."""
        addresses = {address for address, _ in pairs}
        sql = "SELECT address, sender, user_id, message FROM store_conversation WHERE address "
        for address, sender, user, message in self._query(sql, addresses):
            self.conversations.setdefault((address, sender), (user, message))
        # Two are enough to know that a number does not say who it is.
        sql = (
            "SELECT phone, id FROM (SELECT phone, id, ROW_NUMBER() OVER (PARTITION BY phone ORDER BY seq) AS nth "
            f"FROM store_user WHERE NOT phone = '' AND phone {AMONG}) AS owners WHERE nth <= 2"
        )
        for phone, user in self._rows(sql, addresses):
            self.owners.setdefault(phone, []).append(user)

    def _query(self, select: str, values: set[str]) -> list[tuple[Any, ...]]:
        return self._rows(select + AMONG, values)

    def _rows(self, sql: str, values: set[str]) -> list[tuple[Any, ...]]:
        if not values:
            return []
        with connection.cursor() as cursor:
            cursor.execute(sql, [encode(sorted(values)).decode()])
            return list(cursor.fetchall())
