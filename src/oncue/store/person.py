"""One person's data: all of it as a document, and its erasure, with the proof that nothing is left.

What stays, and must: that a number opted out, or nobody could keep the promise never to text it; and counts, which say nothing of anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.core.message import State
from oncue.store import audit, chain, copies
from oncue.store.facts import AMONG, encode
from oncue.store.jobs import Whole
from oncue.store.lanes import Lanes
from oncue.store.refusal import Refused
from oncue.store.rows import Row, rows
from oncue.store.unit import Unit

KEPT = ("store_optout", "store_audit")
"""Where an address may be found afterwards: in the ledger of opt-outs, and in the trail of who changed that ledger."""

_FORGOTTEN = "forgotten user"
_SHORTEST = 6
"""Characters of a value that is looked for anywhere in the texts; a shorter one is found in everything."""


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, in rows by kind."""

    user: str
    """Their own id."""
    erased: dict[str, int]
    at_provider: int
    """Messages and replies that providers are asked to forget."""
    opted_out: int
    """Opt-outs of their addresses, which stay."""
    addresses: frozenset[str]
    """Where they were reached, and the anonymous ids that were theirs: to be looked for with `left`, told to nobody."""


def whose(id_: str) -> str:
    """The user's own id, for an anonymous one that was found to be theirs; any other is its own."""
    sql = "SELECT user_id FROM store_alias WHERE id = %s AND NOT EXISTS (SELECT 1 FROM store_user WHERE store_user.id = store_alias.id)"
    found = _all(sql, id_)
    return str(found[0]["user_id"]) if found else id_


def everything(user: str) -> dict[str, Any] | None:
    """All that is kept of a person, by any of their ids, as plain values; None if nothing is."""
    user = whose(user)
    person = _all("SELECT id, properties, phone, created_at, updated_at FROM store_user WHERE id = %s", user)
    found: dict[str, Any] = {
        "user": person[0] if person else None,
        "aliases": _all("SELECT id, source, at FROM store_alias WHERE user_id = %s", user),
        "consents": _all("SELECT category, state, source, at FROM store_consent WHERE user_id = %s", user),
        "events": _all("SELECT id, name, properties, timestamp, received_at, source, raw FROM store_event WHERE user_id = %s ORDER BY seq", user),
        "messages": _all("SELECT * FROM store_message WHERE user_id = %s ORDER BY seq", user),
        "replies": _all("SELECT * FROM store_reply WHERE user_id = %s ORDER BY seq", user),
    }  # fmt: skip
    messages = encode([one["id"] for one in found["messages"]]).decode()
    events = encode([one["id"] for one in found["events"]]).decode()
    found["attempts"] = rows(f"SELECT * FROM store_attempt WHERE message {AMONG} ORDER BY seq", [messages])
    found["decisions"] = rows(f"SELECT * FROM store_decision WHERE event {AMONG} ORDER BY seq", [events])
    addresses = encode(sorted(_addresses(user))).decode()
    found["opt_outs"] = rows(f"SELECT * FROM store_optout WHERE address {AMONG}", [addresses])
    return found if any(found.values()) else None


def forget(user: str, by: str, catalogue: Mapping[str, Adaptor]) -> Erased | None:
    """Erase a person, by any of their ids, and have providers forget what was said; None if nothing is kept of them. Inside a transaction.

    Raises `Refused` while a message to them is being sent.
    """
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten, not only given back
    user = whose(user)
    try:
        found = everything(user)
        if found is None:
            return None
        if any(one["state"] == State.SUBMITTING for one in found["messages"]):
            raise Refused(f"A message to {user} is being sent at this moment; try again when it is.")
        addresses = _addresses(user)
        # A number that other users have too is not this person's alone: what nobody could be matched with stays theirs.
        alone = encode(sorted(one for one in addresses if not _others(user, one))).decode()
        found["events"] += rows(
            f"SELECT id, source, properties FROM store_event WHERE user_id = '' AND json_extract(properties, '$.from') {AMONG}",
            [alone],
        )
        asked = _ask_providers(found, catalogue)
        erased = _erase(user, found, alone)
        _forget_examples(found)
        audit.record(
            by, "erased", "user", _FORGOTTEN, note=", ".join(f"{count} {what}" for what, count in erased.items())
        )
        addresses |= {one["id"] for one in found["aliases"]}
        return Erased(
            user=user,
            erased=erased,
            at_provider=asked,
            opted_out=len(found["opt_outs"]),
            addresses=frozenset(addresses),
        )
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = OFF")


class Forget(Whole, frozen=True, kw_only=True):
    """Erase a person. Answers what was erased, or None. Raises `Refused`."""

    user: str
    by: str

    @property
    def line(self) -> str:
        """Its own."""
        return "forgetting"

    def take(self, unit: Unit, lanes: Lanes) -> Erased | None:
        """What others of this transaction said of them is written first, so that it is erased too; nothing of them stays at hand."""
        chain.run(unit, lanes)
        unit.flush()
        erased = forget(self.user, self.by, unit.snapshot.catalogue)
        if erased:
            unit.forget(erased.user)
        return erased


def _ask_providers(found: dict[str, Any], catalogue: Mapping[str, Adaptor]) -> int:
    """Have providers that can forget do so: a message's id there is all that is kept of it. Returns how many are asked for."""
    asked: dict[str, set[str]] = {}
    for one in found["messages"]:
        asked.setdefault(one["adaptor"], set()).add(one["provider_id"])
    for one in found["events"]:
        adaptor = catalogue.get(one["source"])
        if adaptor and adaptor.received_id:  # of events about messages, that is no property
            asked.setdefault(adaptor.name, set()).add(str((one["properties"] or {}).get(adaptor.received_id) or ""))
    count = 0
    for name, ids in sorted(asked.items()):
        adaptor = catalogue.get(name)
        if adaptor and adaptor.redact:
            copies.ask(name, ids, clock.now())
            count += len(ids - {""})
    return count


def _erase(user: str, found: dict[str, Any], alone: str) -> dict[str, int]:
    messages = encode([one["id"] for one in found["messages"]]).decode()
    events = encode([one["id"] for one in found["events"]]).decode()
    erased = {
        "attempts": _delete("store_attempt", f"message {AMONG}", messages),
        "decisions": _delete("store_decision", f"event {AMONG}", events),
        "messages": _delete("store_message", "user_id = %s", user),
        "events": _delete("store_event", f"id {AMONG}", events),
        "replies": _delete("store_reply", "user_id = %s", user)
        + _delete("store_reply", f"user_id = '' AND address {AMONG}", alone),
        "consents": _delete("store_consent", "user_id = %s", user),
    }
    _delete("store_conversation", "user_id = %s", user)
    _delete("store_alias", "user_id = %s", user)
    _delete("store_user", "id = %s", user)
    known_as = encode([user, *(one["id"] for one in found["aliases"])]).decode()
    with connection.cursor() as cursor:  # who changed what of them, and why, is theirs as well; that somebody did stays
        cursor.execute(
            f"UPDATE store_audit SET name = %s, before = '', after = '', note = '' WHERE kind = 'user' AND name {AMONG}",
            [_FORGOTTEN, known_as],
        )
        cursor.execute(
            f"UPDATE store_audit SET before = '', after = '', note = '' WHERE kind = 'message' AND name {AMONG}",
            [messages],
        )
        cursor.execute(
            f"UPDATE store_audit SET name = %s, before = '', after = '', note = '' WHERE kind = 'reply' AND name {AMONG}",
            [_FORGOTTEN, alone],
        )
    return erased


def _forget_examples(found: dict[str, Any]) -> None:
    """What is shown as an example of a property may be this person's."""
    theirs = {encode(value) for value in (found["user"] or {}).get("properties", {}).values()}
    theirs |= {encode(value) for event in found["events"] for value in (event["properties"] or {}).values()}
    for row in _all("SELECT name, properties FROM store_eventname WHERE NOT properties = %s", "{}"):
        examples = row["properties"] or {}
        kept = {name: None if encode(value) in theirs else value for name, value in examples.items()}
        if kept != examples:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE store_eventname SET properties = %s WHERE name = %s", [encode(kept).decode(), row["name"]]
                )


def _addresses(user: str) -> set[str]:
    """Numbers and e-mail addresses by which they were, or would be, reached."""
    found = _all("SELECT DISTINCT recipient AS address FROM store_message WHERE user_id = %s", user)
    found += _all("SELECT DISTINCT address FROM store_reply WHERE user_id = %s", user)
    found += _all("SELECT phone AS address FROM store_user WHERE id = %s", user)
    found += _all("SELECT json_extract(properties, '$.email') AS address FROM store_user WHERE id = %s", user)
    return {row["address"] for row in found if isinstance(row["address"], str) and row["address"]}


def _others(user: str, address: str) -> bool:
    sql = "SELECT 1 AS one FROM store_user WHERE NOT phone = '' AND phone = %s AND NOT id = %s LIMIT 1"
    return bool(rows(sql, [address, user]))


def left(user: str, addresses: Iterable[str]) -> list[tuple[str, int]]:
    """Where something of the person is left, which must be nowhere: (table, rows). Every text of every table is read: where their id stands by
    itself, or an address of theirs in anything. It takes as long as the database is large."""
    looked_for = [one for one in addresses if len(one) >= _SHORTEST and not _others(user, one)]
    places = []
    for table in _all("SELECT name FROM sqlite_master WHERE type = %s AND name LIKE 'store_%%'", "table"):
        columns = [row["name"] for row in rows(f"PRAGMA table_info({table['name']})", [])]
        wheres = [f"{column} = %s" for column in columns if column in ("user_id", "id", "name")]
        values = [user] * len(wheres)
        if table["name"] not in KEPT:
            for one in looked_for:
                wheres += [f"instr({column}, %s)" for column in columns]
                values += [one] * len(columns)
        if wheres:
            (found,) = rows(f"SELECT COUNT(*) AS count FROM {table['name']} WHERE {' OR '.join(wheres)}", values)
            places += [(table["name"], int(found["count"]))] if found["count"] else []
    return places


def _delete(table: str, where: str, value: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {where}", [value])
        return int(cursor.rowcount)


def _all(sql: str, value: str) -> list[Row]:
    return rows(sql, [value])
