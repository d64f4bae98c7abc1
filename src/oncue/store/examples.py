"""What has really been seen, for people who make rules: event names with their volume, properties with an example, people to try a rule on.

Reads counters, the table of names, and a bounded number of the newest rows: it costs the same however much history there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.store.rows import Row, rows

WEEK = 7 * 24
MOST_NAMES = 300
LOOKED_THROUGH = 20_000
"""Newest events in which an example is looked for."""
MOST_PROPERTIES = 100
OF_USERS = "$user"
"""The name under which users' own properties are kept in the table of names."""


class SeenEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event's name, and how often it came in the last seven days."""

    name: str
    volume: int = 0


def seen_events() -> list[SeenEvent]:
    """The names ever seen, the most frequent first."""
    volumes = _sums("event")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM store_eventname WHERE NOT name = %s ORDER BY first_at DESC LIMIT %s",
            [OF_USERS, MOST_NAMES],
        )
        names = {name for (name,) in cursor.fetchall()}
    found = [SeenEvent(name=name, volume=volumes.get(name, 0)) for name in names | set(volumes)]
    return sorted(found, key=lambda one: (-one.volume, one.name))[:MOST_NAMES]


def event_properties(names: Iterable[str]) -> dict[str, Any]:
    """Properties seen with these events, each with an example, by what a path says after `event`: `.amount`, `["a name"]`, `.trigger.id`."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(names):
        known = _kept(name) or (newest_event(name) or {}).get("properties") or {}
        found |= _flat(known)
    return dict(list(found.items())[:MOST_PROPERTIES])


def user_properties() -> dict[str, Any]:
    """Properties seen of users, each with an example, by what a path says after `user`."""
    found = dict(_kept(OF_USERS))
    if not found:
        for row in rows("SELECT properties FROM store_user ORDER BY seq DESC LIMIT 50", []):
            for name, value in row["properties"].items():
                found.setdefault(name, value)
    return dict(list(_flat(found).items())[:MOST_PROPERTIES])


def newest_event(name: str) -> Row | None:
    """The newest event of that name among the newest there are."""
    sql = (
        "SELECT seq, id, user_id, name, properties, timestamp FROM store_event "
        "WHERE seq > (SELECT COALESCE(MAX(seq), 0) FROM store_event) - %s AND name = %s ORDER BY seq DESC LIMIT 1"
    )
    found = rows(sql, [LOOKED_THROUGH, name])
    return found[0] if found else None


def people(text: str, limit: int = 10) -> list[Row]:
    """Users whose id begins so, or with that phone number; the newest if nothing is asked for."""
    columns = "SELECT id, properties FROM store_user"
    if not text:
        return rows(f"{columns} ORDER BY seq DESC LIMIT %s", [limit])
    found = rows(f"{columns} WHERE id >= %s AND id < %s ORDER BY id LIMIT %s", [text, text + "\U0010ffff", limit])
    if len(found) < limit:
        phone = rows(f"{columns} WHERE NOT phone = '' AND phone = %s ORDER BY seq LIMIT %s", [text, limit])
        found += [one for one in phone if one["id"] not in {other["id"] for other in found}]
    return found[:limit]


def person(one: str) -> Row | None:
    """One user."""
    found = rows("SELECT id, properties FROM store_user WHERE id = %s", [one])
    return found[0] if found else None


def _sums(counter: str) -> dict[str, int]:
    sql = "SELECT label, SUM(count) AS count FROM store_counter WHERE hour >= %s AND name = %s GROUP BY label"
    since = clock.now() // clock.HOUR - WEEK
    return {row["label"]: int(row["count"]) for row in rows(sql, [since, counter])}


def _kept(name: str) -> Mapping[str, Any]:
    found = rows("SELECT properties FROM store_eventname WHERE name = %s", [name])
    kept = found[0]["properties"] if found else None
    return kept if isinstance(kept, dict) else {}


def _flat(properties: Mapping[str, Any], depth: int = 2) -> dict[str, Any]:
    """Maps inside by their path: a status event carries the properties of the event that caused the message under `trigger`."""
    found: dict[str, Any] = {}
    for name, value in properties.items():
        if isinstance(value, dict) and value and depth > 1:
            found |= {f"{_step(name)}{path}": one for path, one in _flat(value, depth - 1).items()}
        else:
            found[_step(name)] = value
    return found


def _step(name: str) -> str:
    """One step of a path, as conditions and templates write it."""
    if name.isidentifier() and name.isascii():
        return f".{name}"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'
