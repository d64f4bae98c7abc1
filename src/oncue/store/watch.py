"""What the watch reads to see whether all is well. Each look costs the same however much history there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from oncue.core import clock
from oncue.core.reasons import Reason
from oncue.store import hours
from oncue.store.rows import Row, rows

MOST = 1_000
"""Rows looked at, of each kind."""

_AMONG = "IN (SELECT value FROM json_each(%s))"


def newest_decision() -> int:
    """The key of the newest decision."""
    return int(rows("SELECT MAX(seq) AS newest FROM store_decision", [])[0]["newest"] or 0)


def faulty_rules(after: int, until: int) -> list[str]:
    """Rules that could not be evaluated in decisions with a key in that span; of a long one the newest are looked at."""
    sql = "SELECT DISTINCT rule FROM store_decision WHERE seq > %s AND seq <= %s AND reason = %s"
    return [row["rule"] for row in rows(sql, [max(after, until - 10 * MOST), until, Reason.RULE_FAULT.value])]


def counted(labels: Iterable[str], first_hour: int, last_hour: int) -> dict[str, int]:
    """How often these events happened in those hours, both included, by name."""
    return hours.events(first_hour, last_hour + 1, list(labels))


def accepted(adaptors: Sequence[str], now: int, older_than: int, since: int) -> list[Row]:
    """Accepted messages of these adaptors (adaptor, carrier_status, raised, updated_at): of the newest, and of the newest made before
    `older_than`. Ids begin with their time, so both are found by their index."""
    inner = "SELECT adaptor, state, carrier_status, raised, updated_at FROM store_message WHERE id > %s AND id < %s ORDER BY id DESC LIMIT %s"
    sql = f"SELECT adaptor, carrier_status, raised, updated_at FROM ({inner}) AS newest WHERE state = 'accepted' AND adaptor {_AMONG}"
    names = msgspec.json.encode(list(adaptors)).decode()
    found: list[Row] = []
    for until in (now + clock.MINUTE, older_than):
        values: list[Any] = [f"{since:012x}", f"{until:012x}", MOST, names]
        found += rows(sql, values)
    return found


def unknown(before: int) -> int:
    """How many messages have been unknown since before that time; at most `MOST` are counted."""
    sql = (
        "SELECT COUNT(*) AS count FROM (SELECT 1 FROM store_message WHERE state IN ('submitting', 'unknown') AND state = 'unknown' "
        "AND updated_at < %s LIMIT %s) AS some"
    )
    return int(rows(sql, [before, MOST])[0]["count"])


def pauses(since: int) -> list[Row]:
    """Pauses that last, or ended after that time."""
    return rows("SELECT adaptor, kind, key, reason, until_at FROM store_pause WHERE until_at > %s ORDER BY id", [since])
