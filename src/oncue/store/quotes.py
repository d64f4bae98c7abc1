"""Quotes: where a text that is to be taken away stands in other things, and those things without it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from oncue.store import copies
from oncue.store.facts import encode
from oncue.store.statements import update, write
from oncue.store.unit import Unit

SHORTEST_TEXT = 6
"""Characters of a text that is looked for inside others; a shorter one is found in everything."""

EVENT = "SELECT id, name, source, root, properties, raw FROM store_event WHERE "
"""Events, as `write_events` takes them."""

_UPDATE_EVENT = update("store_event", "id", ("properties", "raw"))


def write_events(changed: Iterable[tuple[str, Any, Any]]) -> None:
    """Events as they are from now on: id, properties, and what the provider said."""
    texts = [(one, encode(value).decode(), encode(raw).decode() if raw else "") for one, value, raw in changed]
    write(_UPDATE_EVENT, texts)


def ask_providers(unit: Unit, found: Iterable[tuple[str, str]]) -> None:
    """Have these forgotten where they are kept: (adaptor, the provider's id)."""
    by_adaptor: dict[str, set[str]] = {}
    for name, provider_id in found:
        by_adaptor.setdefault(name, set()).add(provider_id)
    for name, provider_ids in sorted(by_adaptor.items()):
        adaptor = unit.snapshot.catalogue.get(name)
        if adaptor and adaptor.redact:
            copies.ask(name, provider_ids, unit.now)


def texts_of(value: Any, but: Collection[str] = ()) -> list[str]:
    """Every text in it that is long enough to be looked for, the longest first."""
    found: set[str] = set()
    _gather(value, found)
    return sorted((one for one in found if len(one) >= SHORTEST_TEXT and one not in but), key=len, reverse=True)


def _gather(value: Any, found: set[str]) -> None:
    if isinstance(value, str):
        found.add(value)
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _gather(one, found)


def without(value: Any, texts: Collection[str], marker: str) -> Any:
    """The same, with the marker wherever one of the texts stood."""
    if isinstance(value, str):
        for text in texts:
            value = value.replace(text, marker)
        return value
    if isinstance(value, list):
        return [without(one, texts, marker) for one in value]
    if isinstance(value, dict):
        return {name: without(one, texts, marker) for name, one in value.items()}
    return value


def emptied(value: Any, keys: Collection[str], said: Collection[str], marker: str) -> Any:
    """Properties without what stands under these keys; in the trigger that they carry along, and in its trigger, without what was said."""
    if not isinstance(value, dict):
        return value
    found = {}
    for name, one in value.items():
        if name in keys and one:
            found[name] = marker if isinstance(one, str) else []
        else:
            found[name] = emptied(one, said, said, marker) if name == "trigger" else one
    return found
