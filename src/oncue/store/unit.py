"""One transaction's working set: what it read, and what it will write, in memory until `flush`.

A group of jobs shares one unit, so that a thousand events cost a handful of statements: each table is read once for all of them and
written once. If the group fails, the unit is thrown away and nothing has happened.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

import msgspec

from oncue.core.event import Event, User
from oncue.store.config import Snapshot, raise_version
from oncue.store.facts import Facts, OptOutState, decode, encode
from oncue.store.message import CHANGING, COLUMNS, Claimed, Message
from oncue.store.phone import reachable_at
from oncue.store.seen import day_of, seen_digest
from oncue.store.shapes import USER, Shape, write_down
from oncue.store.statements import insert, update, write

__all__ = ["Unit", "decode", "encode"]

_EVENT = "id, user_id, name, properties, timestamp, received_at, source, cause, root, depth, raw"
_DECISION = "event, rule, revision, acted, reason, sentence, trace, at"
_ATTEMPT = "message, number, outcome, reason, exchange, started_at, ended_at"


_INSERT_EVENT = insert("store_event", _EVENT)
_INSERT_DECISION = insert("store_decision", _DECISION)
_INSERT_ATTEMPT = insert("store_attempt", _ATTEMPT)
_INSERT_MESSAGE = insert("store_message", ", ".join(COLUMNS))
_UPDATE_MESSAGE = update("store_message", "id", CHANGING)
_UPSERT_USER = insert(
    "store_user",
    "id, properties, phone, anonymous, created_at, updated_at",
    "ON CONFLICT (id) DO UPDATE SET properties = excluded.properties, phone = excluded.phone, anonymous = excluded.anonymous, "
    "updated_at = excluded.updated_at",
)
_INSERT_SEEN = insert("store_seen", "digest, event, day")
_UPSERT_CONSENT = insert(
    "store_consent",
    "user_id, category, state, source, at",
    "ON CONFLICT (user_id, category) DO UPDATE SET state = excluded.state, source = excluded.source, at = excluded.at",
)
_UPSERT_OPT_OUT = insert(
    "store_optout",
    "address, scope, source, at, lifted_at, lifted_by",
    "ON CONFLICT (address, scope) DO UPDATE SET source = excluded.source, at = excluded.at, "
    "lifted_at = excluded.lifted_at, lifted_by = excluded.lifted_by",
)
_UPSERT_CONVERSATION = insert(
    "store_conversation",
    "address, sender, user_id, message",
    "ON CONFLICT (address, sender) DO UPDATE SET user_id = excluded.user_id, message = excluded.message",
)
_UPSERT_COUNTER = insert(
    "store_counter",
    "hour, name, label, count",
    "ON CONFLICT (hour, name, label) DO UPDATE SET count = store_counter.count + excluded.count",
)
_INSERT_NAME = insert("store_eventname", "name, first_at", "ON CONFLICT (name) DO NOTHING")
_INSERT_REPLY = insert("store_reply", "event, adaptor, user_id, address, sender, body, consent, flag, at")
_UPSERT_PAUSE = insert(
    "store_pause",
    "adaptor, kind, key, reason, since_at, until_at",
    "ON CONFLICT (adaptor, kind, key) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at",
)


class Unit(Facts):
    """The working set. `now` is the one time of the transaction."""

    def __init__(
        self,
        snapshot: Snapshot,
        now: int,
        boot: str,
        known_names: frozenset[str] | set[str],
        known_shapes: frozenset[Shape] | set[Shape] = frozenset(),
    ) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.now = now
        self.wrong_by = 0
        """By how many milliseconds the clock may be wrong, as it jumped lately: ahead if positive."""
        self.boot = boot
        self.fresh: deque[Event] = deque()
        """Events that no rule has considered yet."""
        self.awaiting: set[str] = set()
        """Whose they are: their properties may not change before."""
        self.claimed: list[Claimed] = []
        self.new_names: set[str] = set()
        self.new_shapes: set[Shape] = set()
        self._known_names = known_names
        self._known_shapes = known_shapes
        self._examples: dict[str, dict[str, Any]] = {}
        """Of the new shapes: event name → property → value."""
        self._changed_users: dict[str, None] = {}
        self._new_messages: dict[str, Message] = {}
        self._changed_messages: dict[str, Message] = {}
        self._events: list[tuple[Any, ...]] = []
        self._decisions: list[tuple[Any, ...]] = []
        self._attempts: list[tuple[Any, ...]] = []
        self._replies: list[tuple[Any, ...]] = []
        self._seen: list[tuple[Any, ...]] = []
        self._consents: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._opt_outs: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._conversations: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._pauses: list[tuple[Any, ...]] = []
        self._counts: dict[tuple[str, str], int] = {}
        self.counted: Counter[tuple[str, str]] = Counter()
        """Everything counted in this transaction."""

    @property
    def otherwise(self) -> int:
        """What time it is if the clock was right before it jumped; `now` if it did not."""
        return self.now - self.wrong_by

    # Writing: remembered until `flush`.

    def add_event(self, event: Event, raw: str = "", *, consider: bool = True) -> None:
        """An event has happened; rules consider it in this same transaction."""
        self._events.append(
            (
                event.id, event.user, event.name, encode(event.properties).decode(), event.timestamp, self.now,
                event.source, event.cause, event.root, event.depth, raw,
            )
        )  # fmt: skip
        self.triggers[event.id] = event.properties
        self.count("event", event.name)
        if event.name not in self._known_names:
            self.new_names.add(event.name)
        shape = (event.name, *event.properties)
        if shape not in self._known_shapes and shape not in self.new_shapes:
            self._see(shape, event.properties)
        if consider:
            self.fresh.append(event)
            self.awaiting.add(event.user)

    def change_user(self, user: User) -> None:
        """The user's properties have changed."""
        self._changed_users[user.id] = None

    def add_seen(self, source: str, one: str, event: str) -> None:
        """This client's (or provider's) id has been taken in, as that event."""
        digest = seen_digest(source, one)
        self.seen[digest] = event
        self._seen.append((digest, event, day_of(self.now)))

    def add_decision(self, *row: Any) -> None:
        """Columns as in `_DECISION`."""
        self._decisions.append(row)

    def add_message(self, message: Message) -> None:
        """A new message."""
        self.messages[message.id] = self._new_messages[message.id] = message
        self.count("message", message.state)

    def change_message(self, message: Message) -> None:
        """The message's changing columns have changed."""
        message.updated_at = self.now
        if message.id not in self._new_messages:
            self._changed_messages[message.id] = message

    def add_attempt(self, *row: Any) -> None:
        """Columns as in `_ATTEMPT`."""
        self._attempts.append(row)

    def add_reply(self, *row: Any) -> None:
        """Columns as in `_INSERT_REPLY`."""
        self._replies.append(row)

    def set_consent(self, user: str, category: str, state: str, source: str, at: int) -> None:
        """What the user says now; the ledger keeps the last word."""
        self.consents[user, category] = (state, at)
        self._consents[user, category] = (user, category, state, source, at)

    def set_opt_out(self, address: str, scope: str, *, opted_out: bool, source: str, at: int = 0) -> None:
        """The number opted out of the scope, or in again."""
        at = at or self.now
        known = self.opt_outs.get((address, scope))
        # What is lifted keeps when and how it came about.
        lifted = (None, "") if opted_out else (at, source)
        began = known if known and known.opted_out and not opted_out else OptOutState(opted_out, source, at)
        self.opt_outs[address, scope] = OptOutState(opted_out, began.source, began.at)
        self._opt_outs[address, scope] = (address, scope, began.source, began.at, *lifted)

    def set_conversation(self, message: Message, scopes: Iterable[str]) -> None:
        """The user of this message is the last one texted on these pairs of numbers."""
        for scope in scopes:
            if scope and self.conversations.get((message.recipient, scope)) != (message.user, message.id):
                self._conversations[message.recipient, scope] = (message.recipient, scope, message.user, message.id)
                self.conversations[message.recipient, scope] = (message.user, message.id)

    def pause(self, adaptor: str, kind: str, key: str, reason: str, until_at: int) -> None:
        """Hold back what goes this way until then."""
        self._pauses.append((adaptor, kind, key, reason, self.now, until_at))

    def count(self, name: str, label: str, by: int = 1) -> None:
        """Add to an hourly counter."""
        self._counts[name, label] = self._counts.get((name, label), 0) + by

    def flush(self) -> None:
        """Write all that is remembered, in an order that is the same in every transaction."""
        write(_INSERT_SEEN, self._seen)
        # Sorted: two writers that lock the same users in different orders would wait for each other.
        write(_UPSERT_USER, [self._user_row(one) for one in sorted(self._changed_users)])
        write(_INSERT_EVENT, self._events)
        write(_INSERT_DECISION, self._decisions)
        write(_INSERT_MESSAGE, [msgspec.structs.astuple(one) for one in self._new_messages.values()])
        changed = [(one.id, *(getattr(one, name) for name in CHANGING)) for one in self._changed_messages.values()]
        write(_UPDATE_MESSAGE, changed)
        write(_INSERT_ATTEMPT, self._attempts)
        write(_INSERT_REPLY, self._replies)
        write(_UPSERT_CONSENT, list(self._consents.values()))
        write(_UPSERT_OPT_OUT, list(self._opt_outs.values()))
        write(_UPSERT_CONVERSATION, list(self._conversations.values()))
        write(_UPSERT_PAUSE, list({row[:3]: row for row in self._pauses}.values()))
        hour = self.now // 3_600_000
        write(_UPSERT_COUNTER, [(hour, name, label, n) for (name, label), n in self._counts.items()])
        if self.new_names:
            write(_INSERT_NAME, [(name, self.now) for name in sorted(self.new_names)])
        if self._examples:
            write_down(self._examples)
            self._examples.clear()
        if self._pauses:
            raise_version()
        for pending in (self._seen, self._events, self._decisions, self._attempts, self._replies, self._pauses):
            pending.clear()
        for kept in (
            self._changed_users,
            self._new_messages,
            self._changed_messages,
            self._consents,
            self._opt_outs,
            self._conversations,
        ):
            kept.clear()
        self.counted.update(self._counts)
        self._counts.clear()

    def _see(self, shape: Shape, properties: dict[str, Any]) -> None:
        self.new_shapes.add(shape)
        examples = self._examples.setdefault(shape[0], {})
        for name, value in properties.items():
            if examples.get(name) is None:
                examples[name] = value

    def _user_row(self, one: str) -> tuple[Any, ...]:
        properties = self.users[one].properties
        shape = (USER, *properties)
        if shape not in self._known_shapes and shape not in self.new_shapes:
            self._see(shape, properties)
            if USER not in self._known_names:
                self.new_names.add(USER)
        is_anonymous = self.users[one].anonymous = bool(self.users[one].anonymous)
        return (one, encode(properties).decode(), reachable_at(properties), is_anonymous, self.now, self.now)
