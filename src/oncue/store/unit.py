"""One transaction's working set: what it read, and what it will write, in memory until `flush`.

A group of jobs shares one unit, so that a thousand events cost a handful of statements: each table is read once for all of them and
written once. If the group fails, the unit is thrown away and nothing has happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import connection

from oncue.core.event import Event, User
from oncue.store.config import Snapshot
from oncue.store.message import CHANGING, COLUMNS, FIELDS, Claimed, Message
from oncue.store.phone import reachable_at

encode = msgspec.json.Encoder().encode
decode = msgspec.json.decode

_EVENT = "id, user_id, name, properties, timestamp, received_at, source, cause, root, depth, raw"
_DECISION = "event, rule, revision, acted, reason, sentence, trace, at"
_ATTEMPT = "message, number, outcome, reason, exchange, started_at, ended_at"


def insert(table: str, columns: str, conflict: str = "") -> str:
    """An INSERT for `executemany`."""
    marks = ", ".join(["%s"] * len(columns.split(",")))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks}) {conflict}"


_INSERT_EVENT = insert("store_event", _EVENT)
_INSERT_DECISION = insert("store_decision", _DECISION)
_INSERT_ATTEMPT = insert("store_attempt", _ATTEMPT)
_INSERT_MESSAGE = insert("store_message", ", ".join(COLUMNS))
_UPDATE_MESSAGE = f"UPDATE store_message SET {', '.join(f'{name} = %s' for name in CHANGING)} WHERE id = %s"
_SELECT_MESSAGE = f"SELECT {', '.join(COLUMNS)} FROM store_message WHERE "
_UPSERT_USER = insert(
    "store_user",
    "id, properties, phone, created_at, updated_at",
    "ON CONFLICT (id) DO UPDATE SET properties = excluded.properties, phone = excluded.phone, updated_at = excluded.updated_at",
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
_UPSERT_PAUSE = insert(
    "store_pause",
    "adaptor, kind, key, reason, since_at, until_at",
    "ON CONFLICT (adaptor, kind, key) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at",
)
_AMONG = "IN (SELECT value FROM json_each(%s))"
"""One statement text whatever the number of values, so that it is prepared once."""


class OptOutState(msgspec.Struct):
    """What a number's ledger says of one scope."""

    opted_out: bool
    source: str
    at: int


class Unit:
    """The working set. `now` is the one time of the transaction."""

    def __init__(self, snapshot: Snapshot, now: int, boot: str, known_names: frozenset[str] | set[str]) -> None:
        self.snapshot = snapshot
        self.now = now
        self.boot = boot
        self.users: dict[str, User] = {}
        self.messages: dict[str, Message] = {}
        self.by_provider: dict[tuple[str, str], Message] = {}
        self.seen: dict[str, str] = {}
        self.consents: dict[tuple[str, str], tuple[str, int]] = {}
        self.opt_outs: dict[tuple[str, str], OptOutState] = {}
        self.triggers: dict[str, dict[str, Any]] = {}
        self.fresh: deque[Event] = deque()
        """Events that no rule has considered yet."""
        self.claimed: list[Claimed] = []
        self.descendants: dict[str, int] = {}
        self.new_names: set[str] = set()
        self.config_changed = False
        self._known_names = known_names
        self._read_users: set[str] = set()
        self._read_addresses: set[str] = set()
        self._changed_users: dict[str, None] = {}
        self._new_messages: dict[str, Message] = {}
        self._changed_messages: dict[str, Message] = {}
        self._events: list[tuple[Any, ...]] = []
        self._decisions: list[tuple[Any, ...]] = []
        self._attempts: list[tuple[Any, ...]] = []
        self._seen: list[tuple[Any, ...]] = []
        self._consents: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._opt_outs: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._conversations: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._pauses: list[tuple[Any, ...]] = []
        self._counts: dict[tuple[str, str], int] = {}

    # Reading: each call is one statement for all that is not yet known.

    def load_users(self, ids: Iterable[str]) -> None:
        """Have the users at hand; those who do not exist yet begin without properties."""
        wanted = {one for one in ids if one not in self.users}
        if not wanted:
            return
        for one, properties in self._query("SELECT id, properties FROM store_user WHERE id ", wanted):
            self.users[one] = User(id=one, properties=decode(properties))
        for one in wanted:
            if one not in self.users:
                self.users[one] = User(id=one, properties={})

    def load_seen(self, digests: set[str]) -> None:
        """Which of the clients' ids were taken in before."""
        self.seen.update(self._query("SELECT digest, event FROM store_seen WHERE digest ", digests - self.seen.keys()))

    def load_messages(self, ids: Iterable[str]) -> None:
        """Have the messages at hand."""
        for row in self._query(_SELECT_MESSAGE + "id ", {one for one in ids if one not in self.messages}):
            self._keep(row)

    def load_messages_by_provider(self, adaptor: str, provider_ids: Iterable[str]) -> None:
        """Have the messages with these provider's ids at hand."""
        wanted = {one for one in provider_ids if (adaptor, one) not in self.by_provider}
        for row in self._query(_SELECT_MESSAGE + "provider_id <> '' AND provider_id ", wanted):
            self._keep(row)

    def load_triggers(self, events: Iterable[str]) -> None:
        """Have the properties of these events at hand: what a status event carries as `trigger`."""
        wanted = {one for one in events if one not in self.triggers}
        for one, properties in self._query("SELECT id, properties FROM store_event WHERE id ", wanted):
            self.triggers[one] = decode(properties)

    def load_consents(self, users: Iterable[str]) -> None:
        """Have what these users said to each category at hand."""
        wanted = {one for one in users if one not in self._read_users}
        self._read_users |= wanted
        for user, category, state, at in self._query("SELECT user_id, category, state, at FROM store_consent WHERE user_id ", wanted):
            self.consents.setdefault((user, category), (state, at))

    def load_opt_outs(self, addresses: Iterable[str]) -> None:
        """Have the opt-outs of these numbers at hand."""
        wanted = {one for one in addresses if one not in self._read_addresses}
        self._read_addresses |= wanted
        rows = self._query("SELECT address, scope, source, at, lifted_at FROM store_optout WHERE address ", wanted)
        for address, scope, source, at, lifted_at in rows:
            self.opt_outs.setdefault((address, scope), OptOutState(lifted_at is None, source, at))

    def load_descendants(self, roots: Iterable[str]) -> None:
        """How many messages and emitted events each chain already has."""
        wanted = {one for one in roots if one not in self.descendants}
        if not wanted:
            return
        self.descendants.update(dict.fromkeys(wanted, 0))
        for sql in (
            "SELECT root, COUNT(*) FROM store_message WHERE depth >= 0 AND root {} GROUP BY root",
            "SELECT root, COUNT(*) FROM store_event WHERE depth > 0 AND source = 'rule' AND root {} GROUP BY root",
        ):
            for root, count in self._rows(sql.format(_AMONG), wanted):
                self.descendants[root] += count

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
        if consider:
            self.fresh.append(event)

    def change_user(self, user: User) -> None:
        """The user's properties have changed."""
        self._changed_users[user.id] = None

    def add_seen(self, digest: str, event: str, day: int) -> None:
        """This client's id has been taken in."""
        self.seen[digest] = event
        self._seen.append((digest, event, day))

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

    def set_consent(self, user: str, category: str, state: str, source: str, at: int) -> None:
        """What the user says now; the ledger keeps the last word."""
        self.consents[user, category] = (state, at)
        self._consents[user, category] = (user, category, state, source, at)

    def set_opt_out(self, address: str, scope: str, *, opted_out: bool, source: str) -> None:
        """The number opted out of the scope, or in again."""
        self.opt_outs[address, scope] = OptOutState(opted_out, source, self.now)
        lifted = (None, "") if opted_out else (self.now, source)
        self._opt_outs[address, scope] = (address, scope, source, self.now, *lifted)

    def set_conversation(self, message: Message, scopes: Iterable[str]) -> None:
        """The user of this message is the last one texted on these pairs of numbers."""
        for scope in scopes:
            if scope:
                self._conversations[message.recipient, scope] = (message.recipient, scope, message.user, message.id)

    def pause(self, adaptor: str, kind: str, key: str, reason: str, until_at: int) -> None:
        """Hold back what goes this way until then."""
        self._pauses.append((adaptor, kind, key, reason, self.now, until_at))
        self.config_changed = True

    def count(self, name: str, label: str, by: int = 1) -> None:
        """Add to an hourly counter."""
        self._counts[name, label] = self._counts.get((name, label), 0) + by

    def flush(self) -> None:
        """Write all that is remembered, in an order that is the same in every transaction."""
        with connection.cursor() as cursor:
            self._write(cursor, _INSERT_SEEN, self._seen)
            # Sorted: two writers that lock the same users in different orders would wait for each other.
            self._write(cursor, _UPSERT_USER, [self._user_row(one) for one in sorted(self._changed_users)])
            self._write(cursor, _INSERT_EVENT, self._events)
            self._write(cursor, _INSERT_DECISION, self._decisions)
            self._write(cursor, _INSERT_MESSAGE, [msgspec.structs.astuple(one) for one in self._new_messages.values()])
            changed = [(*(getattr(one, name) for name in CHANGING), one.id) for one in self._changed_messages.values()]
            self._write(cursor, _UPDATE_MESSAGE, changed)
            self._write(cursor, _INSERT_ATTEMPT, self._attempts)
            self._write(cursor, _UPSERT_CONSENT, list(self._consents.values()))
            self._write(cursor, _UPSERT_OPT_OUT, list(self._opt_outs.values()))
            self._write(cursor, _UPSERT_CONVERSATION, list(self._conversations.values()))
            self._write(cursor, _UPSERT_PAUSE, self._pauses)
            hour = self.now // 3_600_000
            self._write(cursor, _UPSERT_COUNTER, [(hour, name, label, n) for (name, label), n in self._counts.items()])
            if self.new_names:
                self._write(cursor, _INSERT_NAME, [(name, self.now) for name in sorted(self.new_names)])
        for pending in (self._seen, self._events, self._decisions, self._attempts, self._pauses):
            pending.clear()
        for kept in (self._changed_users, self._new_messages, self._changed_messages, self._consents, self._opt_outs, self._conversations):
            kept.clear()  # type: ignore[attr-defined]
        self._counts.clear()

    def _user_row(self, one: str) -> tuple[Any, ...]:
        properties = self.users[one].properties
        return (one, encode(properties).decode(), reachable_at(properties), self.now, self.now)

    @staticmethod
    def _write(cursor: Any, sql: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            cursor.executemany(sql, rows)

    def _keep(self, row: tuple[Any, ...]) -> None:
        message = Message(**dict(zip(FIELDS, row, strict=True)))
        message = self.messages.setdefault(message.id, message)
        if message.provider_id:
            self.by_provider[message.adaptor, message.provider_id] = message

    def _query(self, select: str, values: set[str]) -> list[tuple[Any, ...]]:
        return self._rows(select + _AMONG, values)

    def _rows(self, sql: str, values: set[str]) -> list[tuple[Any, ...]]:
        if not values:
            return []
        with connection.cursor() as cursor:
            cursor.execute(sql, [encode(sorted(values)).decode()])
            return list(cursor.fetchall())
