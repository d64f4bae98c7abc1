"""Comparing values as people expect: numbers as numbers even when they came as text, times as instants, missing as never equal."""

from __future__ import annotations

import re
from typing import Any

from oncue.core import clock
from oncue.core.fields import as_text

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


def equal(left: Any, right: Any) -> bool:
    """`"10.0" == 10` and `true == "true"` hold; two texts are equal when they are the same text or the same instant."""
    if left is None or right is None:  # an item of a list
        return False
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return as_text(left).strip().lower() == as_text(right).strip().lower()
    if isinstance(left, str) and isinstance(right, str):
        if left == right:
            return True
        times = _time(left), _time(right)
        return None not in times and times[0] == times[1]
    numbers = _number(left), _number(right)
    return None not in numbers and numbers[0] == numbers[1]


def order(left: Any, right: Any) -> int | None:
    """-1, 0 or 1, or None if the two cannot be compared. Texts that both are numbers, or times, compare as such; others by character."""
    if isinstance(left, bool | dict | list) or isinstance(right, bool | dict | list):
        return None
    for read in (_number, _time):
        first, second = read(left), read(right)
        if first is not None and second is not None:
            return (first > second) - (first < second)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    return None


def contains(whole: Any, part: Any) -> bool:
    """A text in a text, an item in a list, a name in a map."""
    if isinstance(whole, list):
        return any(equal(item, part) for item in whole)
    if isinstance(whole, dict):
        return as_text(part) in whole
    return as_text(part) in as_text(whole)


def _number(value: Any) -> int | float | None:
    if isinstance(value, int | float):
        return value
    if not _NUMBER.fullmatch(value):
        return None
    text = value.strip()
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else float(text)


def _time(value: Any) -> int | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return clock.parse_iso(value)
    except ValueError:
        return None
