"""Traffic by adaptor: what waits for each, and what each raised of late. Read from counters and a partial index, so history costs nothing."""

from __future__ import annotations

from oncue.core import clock
from oncue.store import hours
from oncue.store.rows import rows


def waiting() -> dict[str, int]:
    """How many messages wait, by adaptor; those without any are left out."""
    sql = "SELECT adaptor, COUNT(*) AS count FROM store_message WHERE state = 'waiting' GROUP BY adaptor"
    return {row["adaptor"]: row["count"] for row in rows(sql, [])}


def raised(since: int) -> dict[str, int]:
    """How often each event was raised since then (milliseconds, to the hour), by its full name."""
    return hours.events(since // clock.HOUR, clock.now() // clock.HOUR + 1)
