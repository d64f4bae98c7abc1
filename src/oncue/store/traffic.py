"""Traffic by adaptor: what waits for each, and what each raised of late. Read from counters and a partial index, so history costs nothing."""

from __future__ import annotations

from oncue.store.rows import rows

HOUR = 3_600_000


def waiting() -> dict[str, int]:
    """How many messages wait, by adaptor; those without any are left out."""
    sql = "SELECT adaptor, COUNT(*) AS count FROM store_message WHERE state = 'waiting' GROUP BY adaptor"
    return {row["adaptor"]: row["count"] for row in rows(sql, [])}


def raised(since: int) -> dict[str, int]:
    """How often each event was raised since then (milliseconds, to the hour), by its full name."""
    sql = "SELECT label, SUM(count) AS count FROM store_counter WHERE hour >= %s AND name = 'event' GROUP BY label"
    return {row["label"]: row["count"] for row in rows(sql, [since // HOUR])}
