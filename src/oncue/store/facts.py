"""What one transaction needs to know: read in a few statements for the whole group, then held in memory.

Jobs first say what they will ask for (`wanted`); `load_wanted` fetches it all at once. What turns up later (the recipients of new
messages, say) is loaded wave by wave. Each table is read once however many jobs share the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from django.db import DatabaseError

from oncue.core import clock
from oncue.core.event import User
from oncue.core.message import State
from oncue.store import database
from oncue.store.config import VERSION
from oncue.store.message import COLUMNS, FIELDS, Message
from oncue.store.seen import digest_before, seen_digest
from oncue.store.statements import Question, read, read_row_by_row

decode = msgspec.json.decode
encode = msgspec.json.Encoder().encode

# A partial index serves only statements that repeat its condition word for word: NOT x = '', not x <> ''.
SENT = (State.SUBMITTING, State.ACCEPTED, State.UNKNOWN)
"""States of a message that the person got, is getting or may have got."""

AMONG = "IN (SELECT value FROM json_each(%s))"
"""One statement text whatever the number of values, so that it is prepared once."""

_AMONG = AMONG.replace("%s", "?")
"""For `read`, which goes past Django's cursor."""

_SENT = f"""(
WITH RECURSIVE search(old, step) AS (
  SELECT 0, 1099511627776
  UNION ALL
  SELECT old + CASE WHEN (SELECT created_at FROM store_message WHERE seq >= old + step ORDER BY seq LIMIT 1) < ? THEN step ELSE 0 END, step / 2
  FROM search WHERE step > 0
)
SELECT user_id, COUNT(*) AS sent FROM store_message
WHERE user_id {_AMONG} AND seq > (SELECT MAX(old) FROM search) AND due_at >= ? AND state {_AMONG} AND category {_AMONG}
  AND adaptor || '.' || action {_AMONG} AND NOT id {_AMONG}
GROUP BY user_id
)"""
"""Rows are in the order of their making, so the first of a time is found as in a dictionary, by halves: 40 rows are looked at however many
there are, and of each user only those since."""

_OWNERS = (
    "(SELECT phone, id, ROW_NUMBER() OVER (PARTITION BY phone ORDER BY seq) AS nth "
    f"FROM store_user WHERE NOT phone = '' AND phone {_AMONG}) AS owners WHERE nth <= 2"
)

_MESSAGE = ", ".join(COLUMNS)
_OF_PROVIDER = "NOT provider_id = '' AND provider_id"


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

    __slots__ = ("addresses", "aliases", "consents", "messages", "pairs", "provider_ids", "seen", "stops", "users")

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
        self.stops: set[str] = set()
        """Addresses of those who said STOP: what they were texted last is asked for, too."""


class Facts:
    """What has been read so far. Changes made in this transaction are made here too, so that later jobs see them."""

    def __init__(self) -> None:
        self.wanted = Wanted()
        self.version = 0
        """Of the configuration in the database."""
        self.users: dict[str, User] = {}
        self.aliases: dict[str, tuple[str, str]] = {}
        """Anonymous id → (user, whose id it is: `Key.family`)."""
        self.messages: dict[str, Message] = {}
        self.by_provider: dict[tuple[str, str], Message] = {}
        self.seen: dict[str, str] = {}
        self.has_seen_before = False
        """Whether ids are still kept as an earlier oncue kept them: `digest_before`."""
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
        self._asked: list[tuple[Question, Callable[[list[Any]], None]]] = []
        """What the next `fetch` reads, and who takes it."""

    def want_seen(self, source: str, one: str) -> None:
        """Whether this id of a client's, or a provider's, was taken in before."""
        self.wanted.seen.add(seen_digest(source, one))
        if self.has_seen_before:
            self.wanted.seen.add(digest_before(source, one))

    def seen_as(self, source: str, one: str) -> str:
        """Our id of the event that was taken in with this id; empty if none was."""
        found = self.seen.get(seen_digest(source, one), "")
        return self.seen.get(digest_before(source, one), "") if self.has_seen_before and not found else found

    def load_wanted(self) -> None:
        """Fetch what the jobs asked for, the triggers of the messages among it, and the configuration's version."""
        wanted = self.wanted
        if wanted.aliases:
            self._load_aliases(wanted.aliases)
        self._asked.append((Question("value", VERSION, ()), self._take_version))
        self._ask("digest, event", "store_seen WHERE digest", wanted.seen, self.seen.update)
        self.ask_users(wanted.users)
        self.ask_consents(wanted.consents)
        self._ask_messages("id", wanted.messages)
        self._ask_messages(_OF_PROVIDER, wanted.provider_ids)
        self.ask_opt_outs(wanted.addresses)
        self._ask_conversations(wanted.pairs)
        if wanted.stops:
            last = f"store_message WHERE id IN (SELECT message FROM store_conversation WHERE address {_AMONG})"
            self._asked.append(
                (Question(_MESSAGE, last, (encode(sorted(wanted.stops)).decode(),), Message), self._keep_all)
            )
        self.fetch()

    def _take_version(self, rows: list[Any]) -> None:
        self.version = int(rows[0][0]) if rows else 0

    def fetch(self) -> None:
        """Have what was asked for at hand."""
        asked, self._asked = self._asked, []
        if asked:
            for (_, take), rows in zip(asked, _read([question for question, _ in asked]), strict=True):
                take(rows)

    def load_users(self, ids: Iterable[str]) -> None:
        """Have the users at hand; those who do not exist yet begin without properties."""
        self.ask_users(ids)
        self.fetch()

    def ask_users(self, ids: Iterable[str]) -> None:
        """`load_users`, with the next `fetch`."""
        wanted = {one for one in ids if one not in self.users}

        def take(rows: list[Any]) -> None:
            for one, properties, anonymous in rows:
                self.users[one] = User(id=one, properties=decode(properties), anonymous=bool(anonymous))
            for one in wanted:
                if one not in self.users:
                    self.users[one] = User(id=one, properties={})

        self._ask("id, properties, anonymous", "store_user WHERE id", wanted, take)

    def _load_aliases(self, ids: set[str]) -> None:
        """Whose these ids are; what is asked of an id is asked of its user too."""

        def take(rows: list[Any]) -> None:
            for one, user, source in rows:
                self.aliases[one] = (user, source)

        self._ask("id, user_id, source", "store_alias WHERE id", ids, take)
        self.fetch()
        for asked in (self.wanted.users, self.wanted.consents):
            asked.update([self.aliases[one][0] for one in asked & self.aliases.keys()])

    def load_messages_by_provider(self, provider_ids: set[str]) -> None:
        """Have the messages with these ids at their provider at hand, and their triggers."""
        self._ask_messages(_OF_PROVIDER, provider_ids)
        self.fetch()

    def _ask_messages(self, key: str, values: set[str]) -> None:
        if values:
            among = encode(sorted(values)).decode()
            messages = f"store_message WHERE {key} {_AMONG}"
            triggers = f"store_event WHERE id IN (SELECT event FROM {messages})"
            self._asked.append((Question(_MESSAGE, messages, (among,), Message), self._keep_all))
            self._asked.append((Question("id, properties", triggers, (among,)), self._take_triggers))

    def _keep_all(self, messages: list[Message]) -> None:
        for message in messages:
            self.keep(message)

    def keep(self, message: Message) -> Message:
        """Have this message at hand; the copy already in use wins."""
        message = self.messages.setdefault(message.id, message)
        if message.provider_id:
            self.by_provider[message.adaptor, message.provider_id] = message
        return message

    def load_triggers(self, events: Iterable[str]) -> None:
        """Have the properties of these events at hand: what a status event carries as `trigger`."""
        wanted = {one for one in events if one not in self.triggers}
        self._ask("id, properties", "store_event WHERE id", wanted, self._take_triggers)
        self.fetch()

    def _take_triggers(self, rows: list[Any]) -> None:
        for one, properties in rows:
            self.triggers[one] = decode(properties)

    def load_consents(self, users: Iterable[str]) -> None:
        """Have what these users said to each category at hand."""
        self.ask_consents(users)
        self.fetch()

    def ask_consents(self, users: Iterable[str]) -> None:
        """`load_consents`, with the next `fetch`."""
        wanted = {one for one in users if one not in self._read_consents}
        self._read_consents |= wanted

        def take(rows: list[Any]) -> None:
            for user, category, state, at in rows:
                self.consents.setdefault((user, category), (state, at))

        self._ask("user_id, category, state, at", "store_consent WHERE user_id", wanted, take)

    def ask_opt_outs(self, addresses: Iterable[str]) -> None:
        """Have the opt-outs of these numbers at hand, with the next `fetch`."""
        wanted = {one for one in addresses if one not in self._read_addresses}
        self._read_addresses |= wanted

        def take(rows: list[Any]) -> None:
            for address, scope, source, at, lifted_at in rows:
                self.opt_outs.setdefault((address, scope), OptOutState(lifted_at is None, source, at))

        self._ask("address, scope, source, at, lifted_at", "store_optout WHERE address", wanted, take)

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
        # A day more than is counted: a message may have waited for its turn, and a clock may have been put back.
        since = which.since - clock.DAY
        values = (since, encode(sorted(wanted)).decode(), which.since, *lists)
        self._asked.append((Question("user_id, sent", _SENT, values), self.sent.update))
        self.fetch()

    def load_descendants(self, roots: Iterable[str]) -> None:
        """How many messages and emitted events each chain already has."""
        wanted = {one for one in roots if one not in self.descendants}
        self.descendants.update(dict.fromkeys(wanted, 0))
        # One by one and not counted by the database: of a chain there are few.
        for source in ("store_message WHERE root", "store_event WHERE depth > 0 AND source = 'rule' AND root"):
            self._ask("root", source, wanted, self._count_descendants)
        self.fetch()

    def _count_descendants(self, rows: list[Any]) -> None:
        for (root,) in rows:
            self.descendants[root] += 1

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
        self._ask_conversations(pairs)
        self.fetch()

    def _ask_conversations(self, pairs: set[tuple[str, str]]) -> None:
        addresses = {address for address, _ in pairs}

        def take(rows: list[Any]) -> None:
            for address, sender, user, message in rows:
                self.conversations.setdefault((address, sender), (user, message))

        def take_owners(rows: list[Any]) -> None:
            for phone, user in rows:
                self.owners.setdefault(phone, []).append(user)

        self._ask("address, sender, user_id, message", "store_conversation WHERE address", addresses, take)
        if addresses:  # two are enough to know that a number does not say who it is
            self._asked.append((Question("phone, id", _OWNERS, (encode(sorted(addresses)).decode(),)), take_owners))

    def _ask(self, columns: str, source: str, values: set[str], take: Callable[[list[Any]], None]) -> None:
        """These columns of the rows whose key, with which `source` ends, is one of the values."""
        if values:
            question = Question(columns, f"{source} {_AMONG}", (encode(sorted(values)).decode(),))
            self._asked.append((question, take))


def read_messages(which: str, *values: Any) -> list[Message]:
    """The messages for which this condition holds."""
    return _read([Question(_MESSAGE, f"store_message WHERE {which}", values, Message)])[0]


def _read(questions: list[Question]) -> list[list[Any]]:
    try:
        return read(*questions)
    except (msgspec.DecodeError, DatabaseError) as error:
        if database.is_at_fault(error):
            raise
        # A row has what its columns should not. A message of that kind holds up no others; what somebody said of being texted does.
        return [_messages_row_by_row(one) if one.shape is Message else read(one)[0] for one in questions]


def _messages_row_by_row(question: Question) -> list[Any]:
    return [Message(**dict(zip(FIELDS, row, strict=True))) for row in read_row_by_row(question)]
