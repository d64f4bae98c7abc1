"""Hourly counters: what happened in a span of hours, summed. Costs what the span holds, not what history does.

The name of a counter is looked up hour by hour in the one index (hour, name, label), so that a counter of many labels slows down nobody
who does not ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from oncue.store.facts import AMONG, encode
from oncue.store.rows import Row, rows

_HOURS = "WITH RECURSIVE hours(hour) AS (SELECT CAST(%s AS INTEGER) UNION ALL SELECT hour + 1 FROM hours WHERE hour + 1 < %s) "
_SUMS = (
    f"{_HOURS}SELECT {{columns}}, SUM(count) AS count FROM hours CROSS JOIN store_counter ON store_counter.hour = hours.hour AND name {AMONG} "
    "GROUP BY {columns} ORDER BY {columns}"
)
_LAST = (
    f"{_HOURS}SELECT label, MAX(hours.hour) AS hour FROM hours CROSS JOIN store_counter ON store_counter.hour = hours.hour AND name = %s "
    "GROUP BY label"
)


def counted(since_hour: int, until_hour: int, names: Sequence[str]) -> list[Row]:
    """Sums by name and label of the hours from `since_hour` up to, without, `until_hour` (hours since the epoch)."""
    return _sums("name, label", since_hour, until_hour, names)


def hourly(since_hour: int, until_hour: int, names: Sequence[str]) -> list[Row]:
    """Sums by hour and name."""
    return _sums("hours.hour, name", since_hour, until_hour, names)


def hourly_by_label(since_hour: int, until_hour: int, name: str) -> list[Row]:
    """Sums by hour and label, of one counter."""
    return _sums("hours.hour, label", since_hour, until_hour, [name])


def last_hours(since_hour: int, until_hour: int, name: str) -> dict[str, int]:
    """By label: the last hour in which this counter counted."""
    found = rows(_LAST, [since_hour, until_hour, name])
    return {row["label"]: row["hour"] for row in found}


def _sums(columns: str, since_hour: int, until_hour: int, names: Sequence[str]) -> list[Row]:
    if since_hour >= until_hour:
        return []
    return rows(_SUMS.format(columns=columns), [since_hour, until_hour, encode(sorted(names)).decode()])
