"""The one clock. Everything in oncue that asks the time asks here, so that tests can turn it.

Wall-clock times are integers of milliseconds since 1970-01-01 UTC (named `*_at`); durations are
seconds as floats (named `*_after` or `*_for`). `elapsed()` counts the time a suspended process
spends asleep, which is what deadlines want.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_turned_by = 0  # milliseconds that a test has turned the clock forward


def now() -> int:
    """Wall-clock time, in milliseconds since the epoch (UTC)."""
    return time.time_ns() // 1_000_000 + _turned_by


# CLOCK_BOOTTIME goes on while a laptop's lid is shut; CLOCK_MONOTONIC stands still there.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Seconds on a clock that only moves forward, and also moves while the machine sleeps."""
    return time.clock_gettime(_STEADY) + _turned_by / SECOND


def turn(milliseconds: int) -> None:
    """Turn both clocks forward (or back). For tests only."""
    global _turned_by
    _turned_by += milliseconds


def iso(at: int) -> str:
    """`2026-11-23T17:00:00.000Z` for a time in milliseconds."""
    return f"{_iso_second(at // SECOND)}.{at % SECOND:03d}Z"


@lru_cache(maxsize=100)
def _iso_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


def parse_iso(text: str) -> int:
    """Milliseconds for an ISO 8601 timestamp; without an offset it is read as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * SECOND + 0.5)
