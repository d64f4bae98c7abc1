"""Timing: is it night where the person is, and until when?

Pure: a policy, zones, a moment. Where a person may be in several zones it is night as long as it is night in any of them. Times of day are
those on the wall: a window may cross midnight, a night in which the clocks go forward is shorter, one in which they go back is longer.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from oncue.core import clock
from oncue.rules.policy import Policy
from oncue.rules.zones import zone_named, zones_of

__all__ = ["Night", "local_time", "night", "quiet_until", "zone_named", "zones_of"]

NEVER = 400 * clock.DAY
"""How far off the morning is put where it never comes: zones so far apart that it is always quiet in one of them."""

_DAY = 24 * 60
_LONGEST = 3 * _DAY  # minutes that are searched for a morning


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """It is quiet: until when, and a zone in which it is (of `zones` in which the person may be)."""

    until_at: int
    zone: str
    zones: int
    began_at: int
    """The moment that was asked about, for the sentence."""

    @property
    def sentence(self) -> str:
        """What time it was where, and how long it was to be quiet."""
        now = f"It was {local_time(self.began_at, self.zone)} ({self.zone})"
        if self.zones > 1:
            now += f", in one of the {self.zones} time zones that the number may be in"
        if self.until_at >= self.began_at + NEVER:
            return f"{now}, which are so far apart that it is always quiet in one of them"
        return f"{now}, and quiet until {local_time(self.until_at, self.zone)}"


def night(policy: Policy, zones: tuple[str, ...], now: int) -> Night | None:
    """The quiet hours in which `now` (milliseconds) falls, if it does."""
    zone, minute = _morning(policy.quiet_from, policy.quiet_to, zones, now // clock.MINUTE)
    if not zone:
        return None
    until_at = minute * clock.MINUTE if minute else now + NEVER
    return Night(until_at=until_at, zone=zone, zones=len(zones), began_at=now)


def quiet_until(policy: Policy, zones: tuple[str, ...], now: int) -> int | None:
    """When the quiet hours end, in milliseconds; None if it is not quiet now."""
    found = night(policy, zones, now)
    return found.until_at if found else None


def local_time(at: int, zone: str) -> str:
    """`22:10` for a moment in milliseconds."""
    return datetime.fromtimestamp(at / clock.SECOND, _zone(zone)).strftime("%H:%M")


@lru_cache(maxsize=1_000)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # saved with another release of the zones
        return ZoneInfo("UTC")


@lru_cache(maxsize=10_000)
def _morning(begins: str, ends: str, zones: tuple[str, ...], minute: int) -> tuple[str, int]:
    """(a zone in which it is quiet, the first minute at which it is quiet in none of them, or 0 if there is no such minute)."""
    window = _minutes(begins), _minutes(ends)
    first, at = "", minute
    while at < minute + _LONGEST:
        quiet = [zone for zone in zones if _is_quiet(window, zone, at)]
        if not quiet:
            return first, at
        first = first or quiet[0]
        at = max(_end(window, zone, at) for zone in quiet)
    return first, 0


def _minutes(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)


def _is_quiet(window: tuple[int, int], zone: str, minute: int) -> bool:
    begins, ends = window
    time = _wall(zone, minute) % _DAY
    return begins <= time < ends if begins <= ends else not ends <= time < begins


def _end(window: tuple[int, int], zone: str, minute: int) -> int:
    """The first minute, from one that is quiet on, that is not."""
    at = minute
    while _is_quiet(window, zone, at):
        over = at + (window[1] - _wall(zone, at)) % _DAY
        # Where the clocks change before, the time of day is another from then on: it is looked at again.
        at = over if _ahead(zone, over) == _ahead(zone, at) else _change(zone, at, over)
    return at


def _change(zone: str, before: int, after: int) -> int:
    """The first minute after the clocks changed, between two minutes that they differ at."""
    old = _ahead(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _ahead(zone, middle) == old else (before, middle)
    return after


def _wall(zone: str, minute: int) -> int:
    """Minutes that the clock on the wall shows, counted from 1970."""
    return minute + _ahead(zone, minute)


def _ahead(zone: str, minute: int) -> int:
    """Minutes that the zone is ahead of UTC."""
    offset = datetime.fromtimestamp(minute * 60, _zone(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) // 60
