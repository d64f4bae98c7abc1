"""Pages of what grows with history: newest first, by `seq`, so that page one thousand costs what page one does.

A filter that no index serves is looked for among a bounded number of the newest rows, and the page says how far back it looked: whoever
wants more goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from oncue.store.rows import Row, one, rows

MOST_LOOKED_AT = 50_000
"""Rows looked at for one page."""

LOOKED_AT_FIRST = 5_000
"""And for the first, so that it is as quick with a million rows as with a thousand; whoever turns to the next has decided to wait."""

Condition = tuple[str, Any]
"""SQL, and the value of its mark: `("rule = %s", "booking")`; a list of values if it has several marks."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows, newest first."""

    rows: list[Row]
    next_before: int | None = None
    """`before` for the page that follows; None if there is none."""
    looked_at_until: int | None = None
    """Milliseconds: what is older was not looked at, since no index serves the filter. None if everything was."""

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What is paged: `at` is the column of the time of commit, which grows with `seq`."""

    name: str
    columns: str
    at: str
    seq: str = "seq"


def page(
    table: Table,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    since: int | None = None,
    until: int | None = None,
    indexed: Condition | None = None,
    filters: Sequence[Condition] = (),
) -> Page:
    """One page. `indexed` is an equality that an index on (that column, seq) serves; `filters` are looked for.

    `since` and `until` are milliseconds, both included; `after` keeps to what is newer than that `seq`.
    """
    top = _top(table, before, until)
    lowest = max(after or 0, _first_at(table, since) - 1 if since is not None else 0)
    most = min(MOST_LOOKED_AT, LOOKED_AT_FIRST) if before is None else MOST_LOOKED_AT
    floor = max(lowest, _floor(table, indexed, top, most)) if filters else lowest
    conditions: list[Condition] = [(f"{table.seq} < %s", top), (f"{table.seq} > %s", floor), *filters]
    if indexed:
        conditions.insert(0, indexed)
    where, values = " AND ".join(f"({sql})" for sql, _ in conditions), _values(conditions)
    sql = f"SELECT {table.columns} FROM {table.name} WHERE {where} ORDER BY {table.seq} DESC LIMIT %s"
    found = rows(sql, [*values, limit + 1])
    if len(found) > limit:
        return Page(rows=found[:limit], next_before=found[limit - 1]["seq"])
    if floor > lowest:
        return Page(rows=found, next_before=floor + 1, looked_at_until=_at(table, floor))
    return Page(rows=found)


def _values(conditions: Sequence[Condition]) -> list[Any]:
    return [one for _, value in conditions for one in (value if isinstance(value, list) else [value])]


def _top(table: Table, before: int | None, until: int | None) -> int:
    if until is not None:
        first_after = _first_at(table, until + 1)
        return min(first_after, before) if before is not None else first_after
    return before if before is not None else _newest(table) + 1


def _newest(table: Table) -> int:
    found = rows(f"SELECT MAX({table.seq}) AS newest FROM {table.name}", [])
    return int(found[0]["newest"] or 0)


def _floor(table: Table, indexed: Condition | None, top: int, most: int) -> int:
    """Rows up to this one are not looked at."""
    if indexed is None:
        return top - 1 - most
    sql = f"SELECT {table.seq} AS floor FROM {table.name} WHERE {indexed[0]} AND {table.seq} < %s ORDER BY {table.seq} DESC"
    found = rows(f"{sql} LIMIT 1 OFFSET %s", [indexed[1], top, most])
    return int(found[0]["floor"]) if found else 0


def _at(table: Table, floor: int) -> int | None:
    sql = f"SELECT {table.at} AS at FROM {table.name} WHERE {table.seq} > %s ORDER BY {table.seq}"
    found = one(sql, [floor])
    return int(found["at"]) if found else None


def _first_at(table: Table, at: int) -> int:
    """The first `seq` committed at that time or later; one past the newest if there is none. Halves what is left at each step."""
    middle = "(low + high) / 2"
    later = f"(SELECT {table.at} >= %s FROM {table.name} WHERE {table.seq} >= {middle} ORDER BY {table.seq} LIMIT 1)"
    found = rows(
        f"WITH RECURSIVE search(low, high) AS (SELECT 1, (SELECT COALESCE(MAX({table.seq}), 0) + 1 FROM {table.name}) UNION ALL "
        f"SELECT CASE WHEN {later} THEN low ELSE {middle} + 1 END, CASE WHEN {later} THEN {middle} ELSE high END "
        "FROM search WHERE low < high) SELECT low FROM search WHERE low >= high",
        [at, at],
    )
    return int(found[0]["low"])
