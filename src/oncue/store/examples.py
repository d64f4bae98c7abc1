"""What has really been seen, for people who make rules: properties with an example of each, the newest event of a
name, people to try on.

Reads the table of names and a bounded number of the newest rows: it costs the same however much history there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from oncue.store import search
from oncue.store.rows import Row, rows
from oncue.store.shapes import MOST_PROPERTIES, USER

LOOKED_THROUGH = 20_000
"""Newest events in which an example is looked for."""


def event_properties(names: Iterable[str]) -> dict[str, Any]:
    """Properties seen with these events, each with an example, by what a path says after `event`: `.amount`, `["a name"]`, `.trigger.id`."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(names):
        known = _kept(name) or (newest_event(name) or {}).get("properties") or {}
        found |= _flat(known)
    return dict(list(found.items())[:MOST_PROPERTIES])


def user_properties() -> dict[str, Any]:
    """Properties seen of users, each with an example, by what a path says after `user`."""
    found = dict(_kept(USER))
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
    """Users to try on: found by id, number, address or name; the newest if nothing is asked for."""
    return search.users(search=text, limit=limit).rows[:limit]


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
