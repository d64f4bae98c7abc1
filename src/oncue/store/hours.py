"""Hourly counters: what happened in a span of hours, summed. Costs what the span holds, not what history does.

The name of a counter is looked up hour by hour in the one index (hour, name, label), so that a counter of many labels slows down nobody
who does not ask for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from oncue.store.facts import AMONG, encode
from oncue.store.rows import Row, rows

_HOURS = "WITH RECURSIVE hours(hour) AS (SELECT CAST(%s AS INTEGER) UNION ALL SELECT hour + 1 FROM hours WHERE hour + 1 < %s) "
_SUMS = (
    f"{_HOURS}SELECT {{columns}}, SUM(count) AS count FROM hours CROSS JOIN store_counter ON store_counter.hour = hours.hour AND name {AMONG} "
    "{labels}GROUP BY {columns} ORDER BY {columns}"
)
_LAST = (
    f"{_HOURS}SELECT label, MAX(hours.hour) AS hour FROM hours CROSS JOIN store_counter ON store_counter.hour = hours.hour AND name = %s "
    "GROUP BY label"
)


def counted(since_hour: int, until_hour: int, names: Sequence[str], labels: Collection[str] | None = None) -> list[Row]:
    """Sums by name and label of the hours from `since_hour` up to, without, `until_hour` (hours since the epoch); of these labels only, if
    any are given."""
    return _sums("name, label", since_hour, until_hour, names, labels)


def hourly(since_hour: int, until_hour: int, names: Sequence[str], labels: Collection[str] | None = None) -> list[Row]:
    """Sums by hour and name."""
    return _sums("hours.hour, name", since_hour, until_hour, names, labels)


def events(since_hour: int, until_hour: int, labels: Collection[str] | None = None) -> dict[str, int]:
    """How often events came, by their full name."""
    return {row["label"]: int(row["count"]) for row in counted(since_hour, until_hour, ["event"], labels)}


def hourly_by_label(since_hour: int, until_hour: int, name: str) -> list[Row]:
    """Sums by hour and label, of one counter."""
    return _sums("hours.hour, label", since_hour, until_hour, [name])


def last_hours(since_hour: int, until_hour: int, name: str) -> dict[str, int]:
    """By label: the last hour in which this counter counted."""
    found = rows(_LAST, [since_hour, until_hour, name])
    return {row["label"]: row["hour"] for row in found}


def _sums(
    columns: str, since_hour: int, until_hour: int, names: Sequence[str], labels: Collection[str] | None = None
) -> list[Row]:
    if since_hour >= until_hour:
        return []
    among = [sorted(names), *([sorted(labels)] if labels is not None else [])]
    sql = _SUMS.format(columns=columns, labels=f"AND label {AMONG} " if labels is not None else "")
    return rows(sql, [since_hour, until_hour, *(encode(one).decode() for one in among)])
