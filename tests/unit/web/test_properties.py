"""What a form takes of properties, an app may send, and the other way round: one set of checks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from oncue.core.items import EventItem
from oncue.ingest import items
from oncue.web import properties


def nested(levels: int, inner: Any = 1) -> Any:
    """Properties of so many levels, themselves the first."""
    for _ in range(levels):
        inner = {"a": inner}
    return inner


GOOD = [{}, {"a": -(2**63), "b": 2**63 - 1}, nested(32), {"a": [[[]]]}, {"x" * 200: None}, {"a": {"$b": 1}}]
BAD = [
    nested(33),
    {"a": nested(32)},
    {"a": 2**63},
    {"a": {"b": [-(2**63) - 1]}},
    {"a": "\0"},
    {"a": {"b\0": 1}},
    {"a": {"": 1}},
    {"a": {"x" * 201: 1}},
    {"$a": 1},
    {"": 1},
    {"x" * 201: 1},
]


def door(given: dict[str, Any]) -> bool:
    """Whether the door takes it."""
    body = msgspec.json.encode({"user": "u", "name": "n", "properties": given})
    batch = items.read(body, 0, ())
    assert isinstance(batch, items.Batch)
    return isinstance(batch.entries[0], EventItem)


def as_json(given: dict[str, Any]) -> bool:
    """Whether the form does, as JSON."""
    try:
        return properties.read_json(msgspec.json.encode(given).decode()) == given
    except properties.Wrong as wrong:
        assert str(wrong).endswith(".")
        return False


def as_rows(given: dict[str, Any]) -> bool:
    """Whether the form does, row by row."""
    return properties.read_lines([properties.line_of(*one) for one in given.items()]) == given


@pytest.mark.parametrize("way", [door, as_json, as_rows])
@pytest.mark.parametrize("given", GOOD, ids=lambda given: repr(given)[:30])
def test_what_can_be_kept_is_taken(way, given: dict[str, Any]):
    assert way(given)


@pytest.mark.parametrize("way", [door, as_json, as_rows])
@pytest.mark.parametrize("given", BAD, ids=lambda given: repr(given)[:30])
def test_what_cannot_be_kept_is_refused(way, given: dict[str, Any]):
    assert not way(given)
