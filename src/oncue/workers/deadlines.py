"""Deadlines of many calls under one timer. Nearly all calls end long before, and under load a timer for each costs twice as much."""

from __future__ import annotations

import asyncio
import math

from oncue.core import clock

LOOK_AFTER = 0.1
"""Seconds between looks: by so much a call may go on for too long."""


class Deadlines:
    """Used on one event loop at a time. `async with` what `set` gives: it raises TimeoutError there once its time is over. `unset` it then."""

    def __init__(self) -> None:
        self._ends: dict[asyncio.Timeout, float] = {}
        self._look_later: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> asyncio.Timeout:
        """One that is over in so many seconds from now."""
        limit = asyncio.timeout(None)
        self._ends[limit] = clock.elapsed() + seconds
        if self._look_later is None:
            self._look_again()
        return limit

    def unset(self, limit: asyncio.Timeout) -> None:
        """What it was set for has ended."""
        del self._ends[limit]
        if not self._ends and self._look_later is not None:
            self._look_later.cancel()
            self._look_later = None

    def _look(self) -> None:
        self._look_again()  # first, so that no fault in the rest leaves later calls without a deadline
        now = clock.elapsed()
        for limit in [limit for limit, end in self._ends.items() if end <= now]:
            self._ends[limit] = math.inf
            limit.reschedule(0)  # at once

    def _look_again(self) -> None:
        self._look_later = asyncio.get_running_loop().call_later(LOOK_AFTER, self._look)
