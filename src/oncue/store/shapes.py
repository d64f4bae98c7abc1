"""Properties seen: which ones each event's name came with, and an example of each, for people who pick fields from a list.

A *shape* is a name and the properties it came with. Nearly every event has a shape that is known already, and costs one look into a set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncue.store.facts import AMONG, encode
from oncue.store.rows import rows
from oncue.store.statements import update, write

Shape = tuple[str, ...]
"""An event's name, then its properties' names as they came."""

USER = "$user"
"""Stands for users' own properties among the names of events."""

MOST_PROPERTIES = 100
"""Of one name."""

LONGEST_NAME = 200
LONGEST_EXAMPLE = 60
"""Characters."""

_UPDATE = update("store_eventname", "name", ("properties",))


def write_down(seen: Mapping[str, Mapping[str, Any]]) -> None:
    """Add what is new among these (name → property → value) to what is kept of each name. The names are in their table."""
    known = rows(f"SELECT name, properties FROM store_eventname WHERE name {AMONG}", [encode(sorted(seen)).decode()])
    changed = []
    for row in known:
        kept = row["properties"] or {}
        new = {name: example(value) for name, value in seen[row["name"]].items() if _is_news(kept, name, value)}
        if new:
            together = {**kept, **dict(list(new.items())[: max(0, MOST_PROPERTIES - len(kept.keys() - new.keys()))])}
            changed.append((row["name"], encode(together).decode()))
    write(_UPDATE, sorted(changed))


def _is_news(kept: Mapping[str, Any], name: str, value: Any) -> bool:
    if len(name) > LONGEST_NAME or value is None:
        return False
    return name not in kept or (isinstance(value, dict) and not kept[name])


def example(value: Any) -> Any:
    """A value as an example: texts cut, a map with its first values, anything deeper as text."""
    if isinstance(value, dict):
        return {name: _short(one) for name, one in list(value.items())[:20] if len(name) <= LONGEST_NAME}
    return _short(value)


def _short(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = value if isinstance(value, str) else encode(value).decode()
    return text if len(text) <= LONGEST_EXAMPLE else text[: LONGEST_EXAMPLE - 1] + "…"
