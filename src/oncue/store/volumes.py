"""How often events of each name came: from the hourly counters, so that it costs the same however many there were."""

from __future__ import annotations

from oncue.core import clock
from oncue.store.rows import Row, rows

DAY, WEEK = 24, 7 * 24
OF_USERS = "$user"
"""Stands for users' own properties in the table of names."""


def names() -> list[str]:
    """Every name ever seen, in order of the alphabet."""
    return [
        row["name"] for row in rows("SELECT name FROM store_eventname WHERE NOT name = %s ORDER BY name", [OF_USERS])
    ]


def by_name() -> list[Row]:
    """Each name with `day` and `week`, how often it came in the last 24 hours and 7 days, and `first_at`. The most frequent first."""
    now = clock.now() // clock.HOUR
    sql = (
        "SELECT n.name, n.first_at, COALESCE(c.day, 0) AS day, COALESCE(c.week, 0) AS week FROM store_eventname n LEFT JOIN ("
        "SELECT label, SUM(count) AS week, SUM(CASE WHEN hour > %s THEN count ELSE 0 END) AS day FROM store_counter "
        "WHERE hour > %s AND name = 'event' GROUP BY label) c ON c.label = n.name "
        "WHERE NOT n.name = %s ORDER BY week DESC, n.name"
    )
    return rows(sql, [now - DAY, now - WEEK, OF_USERS])


def hourly(name: str, hours: int) -> list[int]:
    """Of one name: so many counts, an hour each, the last of which is the hour that runs."""
    now = clock.now() // clock.HOUR
    sql = "SELECT hour, count FROM store_counter WHERE hour > %s AND name = 'event' AND label = %s"
    found = {row["hour"]: int(row["count"]) for row in rows(sql, [now - hours, name])}
    return [found.get(hour, 0) for hour in range(now - hours + 1, now + 1)]
