"""Alerts: what members should know. Each is open until it is over, told once, and kept for whoever looks later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.store.paging import Page, Table, page
from oncue.store.rows import Row, rows

TEST = "test"
"""The kind of those that a member raised to see whether alerts arrive. It is over once it was told."""

LONGEST_KEY = 254
"""Of a longer one this much is kept."""

_GIVE_UP_AFTER = 10 * clock.MINUTE
_COLUMNS = "seq, kind, key, sentence, opened_at, closed_at, told_at"
_OPEN = f"SELECT {_COLUMNS} FROM store_alert WHERE closed_at IS NULL"
"""Served by the index of open ones, which an order by `seq` would keep from being used."""

_ALERTS = Table(name="store_alert", columns=_COLUMNS, at="opened_at")


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something that members should know: `kind` and `key` say what, the sentence what it means and what to do."""

    kind: str
    key: str
    sentence: str


def open_ones() -> list[Row]:
    """Alerts that are not over, newest first."""
    return sorted(rows(_OPEN, []), key=lambda row: -row["seq"])


def alerts(*, limit: int = 50, before: int | None = None) -> Page:
    """All alerts, newest first, open and over."""
    return page(_ALERTS, limit=limit, before=before)


def past(*, limit: int = 25, before: int | None = None) -> Page:
    """Alerts that are over, newest first."""
    return page(_ALERTS, limit=limit, before=before, filters=[("closed_at > %s", 0)])


def to_tell() -> list[Row]:
    """Open alerts of which nobody was told yet, oldest first."""
    return sorted(rows(f"{_OPEN} AND told_at IS NULL", []), key=lambda row: row["seq"])


def differing(open_now: Sequence[Row], found: Iterable[Alarm]) -> tuple[list[Alarm], list[int]]:
    """What `settle` has to open, and the keys of what it has to close."""
    wanted = {(one.kind, one.key[:LONGEST_KEY]): one for one in found}
    known = {(row["kind"], row["key"]) for row in open_now}
    over = [row["seq"] for row in open_now if (row["kind"], row["key"]) not in wanted and not _is_on_its_way(row)]
    return [one for place, one in wanted.items() if place not in known], over


def settle(opening: Iterable[Alarm], closing: Iterable[int]) -> None:
    """Open the ones and close the others. Inside a transaction. One that is open already stays as it is."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO store_alert (kind, key, sentence, opened_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(one.kind, one.key[:LONGEST_KEY], one.sentence, now) for one in opening],
        )
        sql = "UPDATE store_alert SET closed_at = %s WHERE seq = %s AND closed_at IS NULL"
        cursor.executemany(sql, [(now, one) for one in closing])


def told(alerts: Iterable[int]) -> None:
    """Members were told of these, with which a test is over. Inside a transaction."""
    now = clock.now()
    sql = (
        "UPDATE store_alert SET told_at = %s, closed_at = CASE WHEN kind = %s THEN %s ELSE closed_at END WHERE seq = %s"
    )
    with connection.cursor() as cursor:
        cursor.executemany(sql, [(now, TEST, now, one) for one in alerts])


def _is_on_its_way(row: Row) -> bool:
    """Whether it is a test that nobody was told of yet."""
    return row["kind"] == TEST and row["told_at"] is None and clock.now() - row["opened_at"] < _GIVE_UP_AFTER
