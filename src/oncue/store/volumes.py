"""How often events of each name came: from the hourly counters, so that it costs the same however many there were."""

from __future__ import annotations

from oncue.core import clock
from oncue.store import hours
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
    until = clock.now() // clock.HOUR + 1
    day, week = (hours.events(until - span, until) for span in (DAY, WEEK))
    known = rows("SELECT name, first_at FROM store_eventname WHERE NOT name = %s ORDER BY name", [OF_USERS])
    found = [{**row, "day": day.get(row["name"], 0), "week": week.get(row["name"], 0)} for row in known]
    return sorted(found, key=lambda row: -row["week"])


def hourly(name: str, span: int) -> list[int]:
    """Of one name: so many counts, an hour each, the last of which is the hour that runs."""
    until = clock.now() // clock.HOUR + 1
    found = {row["hour"]: int(row["count"]) for row in hours.hourly(until - span, until, ["event"], [name])}
    return [found.get(hour, 0) for hour in range(until - span, until)]
