"""Jumps of the wall clock: a machine that starts with a wrong time and is set right, a paused virtual machine, a mistake.

The steady clock does not jump, so a jump shows as a difference between the two. Timers in the database are wall-clock times. When the clock is
set *back*, what claims to have been made in the future was made before: its timers go back with the clock, or they would hang. When it leaps
*ahead*, nobody can say which of the two times is the right one: for an hour both count, whichever is the more careful. What is too late by one of
them is not sent, and does not expire before it is too late by both; caps count from the earlier; it is quiet while it is night by either; and
nothing is forgotten. A clock that is set right again within the hour has done no harm.
"""

from __future__ import annotations

import logging

from django.db import connection

from oncue.core import clock
from oncue.store.config import raise_version
from oncue.store.results import PAUSE_FOR
from oncue.store.rows import rows

log = logging.getLogger("oncue.store")

LEAST = clock.MINUTE
"""Less is no jump: clocks are slewed and measured a little apart."""

DOUBTED_FOR = 3_600.0
"""Seconds after a jump for which the time before it counts too."""

_MENDED = "clock_mended"

_TOUCHED = "UPDATE store_message SET due_at = due_at + %s WHERE state = 'waiting' AND updated_at >= %s"
_MADE = "UPDATE store_message SET send_by = send_by + %s WHERE state IN ('waiting', 'submitting', 'unknown') AND created_at >= %s"
_PAUSED = "UPDATE store_pause SET until_at = %s WHERE until_at > %s"


class Jumps:
    """Watches the clock for the writer: `look` in each transaction, `settle` inside it if it jumped, `note` once that is committed."""

    def __init__(self) -> None:
        self._at, self._steady = _both()
        self._unpaid: list[tuple[int, int]] = []
        """Jumps that were not taken back: (milliseconds, the time it was set to)."""
        self._doubted_until = 0.0
        self._mending = 0

    def begin(self) -> None:
        """Was the clock set back while oncue was away? What was made last says so, once."""
        newest = rows("SELECT received_at AS at FROM store_event ORDER BY seq DESC LIMIT 1", [])
        mended = rows("SELECT value FROM store_setting WHERE name = %s", [_MENDED])
        at = int(newest[0]["at"]) if newest else 0
        if at > self._at + LEAST and not (mended and int(mended[0]["value"]) == at):
            self._at = self._mending = at

    def look(self) -> int:
        """By how many milliseconds the clock has jumped since it was looked at last; 0 if it has not."""
        now, steady = _both()
        jump = now - self._at - int((steady - self._steady) * clock.SECOND)
        if abs(jump) >= LEAST:
            return jump
        self._at, self._steady = now, steady
        return 0

    def settle(self, jump: int) -> None:
        """Have the timers go with a clock that was set back, or set right after that. Inside a transaction."""
        now = clock.now()
        for by, since in [(jump, now)] if jump < 0 else self._paid(jump)[0]:
            with connection.cursor() as cursor:
                cursor.execute(_TOUCHED, [by, since])
                cursor.execute(_MADE, [by, since])
        with connection.cursor() as cursor:
            cursor.execute(_PAUSED, [now, now + PAUSE_FOR])
            if cursor.rowcount:
                raise_version()
            if self._mending:
                sql = "INSERT INTO store_setting (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
                cursor.execute(sql, [_MENDED, str(self._mending)])

    def note(self, jump: int) -> None:
        """It has jumped, and the timers with it."""
        _, self._unpaid = self._paid(jump)
        self._at, self._steady = _both()
        self._mending = 0
        self._doubted_until = self._steady + DOUBTED_FOR if self._unpaid else 0.0
        log.warning(
            "the clock was set %s by %d s%s", "ahead" if jump > 0 else "back", abs(jump) // clock.SECOND,
            "; for an hour what it said before counts too" if self._unpaid else ", and is as it was",
        )  # fmt: skip

    def wrong_by_after(self, jump: int) -> int:
        """By how many milliseconds the clock may be wrong once it has jumped so far: ahead if positive. 0 when nobody doubts it."""
        if not jump and clock.elapsed() > self._doubted_until:
            self._unpaid = []
        return sum(by for by, _ in self._paid(jump)[1])

    def _paid(self, jump: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """What of earlier jumps the other way this one takes back, as (milliseconds, since when), and what is left unpaid."""
        left, back = list(self._unpaid), []
        while left and left[-1][0] * jump < 0 and abs(jump) >= LEAST:
            by, since = left.pop()
            part = min(abs(by), abs(jump)) * (1 if jump > 0 else -1)
            back.append((part, since))
            jump -= part
            if abs(by + part) >= LEAST:
                left.append((by + part, since))
        return back, [*left, (jump, clock.now())] if abs(jump) >= LEAST else left


def _both() -> tuple[int, float]:
    """The wall clock and the steady one at one moment: the process may be stopped between looking at the one and at the other."""
    while True:
        before, now, after = clock.elapsed(), clock.now(), clock.elapsed()
        if after - before < 1:
            return now, after
