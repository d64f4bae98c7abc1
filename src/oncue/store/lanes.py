"""Lanes and slots: what may be sent now, and when the next may.

A *slot* is one call to an adaptor under way; each adaptor has a number of them that follows what the provider tolerates. A *lane* is
what paces messages: a sender number, a messaging service, a mail host. A lane in which one call after the other comes to nothing *rests*:
one message at a time tries whether the provider is back, so that an outage costs a call now and then, and not one for each message. Kept in memory by the one writer; nothing here outlives a
process, since pacing that is forgotten at a restart errs by one message a lane.

Touched by the writer's thread only, but for `is_closed` and `unheard`, which the process and the poller set, and `resting`.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from oncue.core import clock

log = logging.getLogger("oncue.store")

SLOTS = 96
"""Calls under way per adaptor at most, each until its result is recorded; Twilio's cap on concurrency is unpublished, and others report 100."""

MOST_IDLE = 1_000
"""Lanes kept beyond those in which something waits: a webhook may go to a host for each of the customer's customers."""

FAILURES = 10
"""Calls in a row that came to nothing (not sent, or no answer of use): the lane rests."""

REST_FOR, LONGEST_REST_FOR = 1.0, 30.0
"""Seconds until one tries, at first, and at most: each try that comes to nothing doubles it."""

_BURST_FOR = 0.1  # seconds' worth of messages that may go at once, so that a fast lane is not chopped by our own timer


class _Lane:
    __slots__ = (
        "adaptor",
        "due_at",
        "failures",
        "next_at",
        "per_second",
        "rests_since",
        "rests_until",
        "tries",
        "waited_at",
        "waiting",
    )

    def __init__(self, adaptor: str) -> None:
        self.adaptor = adaptor
        self.per_second = 0.0  # 0 is no limit
        self.next_at = 0.0  # steady seconds: when pacing allows the next
        self.waiting = False
        self.waited_at = 0  # milliseconds: when something last did, if nothing waits
        self.due_at = 0  # milliseconds: nothing that waits is due before
        self.failures = 0  # in a row
        self.tries = 0  # since it rests; 0 while all is well
        self.rests_since = 0  # milliseconds
        self.rests_until = 0.0  # steady seconds


class Resting(NamedTuple):
    """A lane that rests, since when, and whether something waits in it, or when something last did. Times in milliseconds."""

    adaptor: str
    lane: str
    since: int
    waits: bool
    waited_at: int


class _Slots:
    __slots__ = ("limit", "used")

    def __init__(self) -> None:
        self.limit = float(SLOTS)
        self.used = 0


class Lanes:
    """Who may send now."""

    def __init__(self) -> None:
        self.is_closed = False
        """Nothing more is claimed: the process is about to end. What would be claimed waits for the next."""
        self.unheard: set[str] = set()
        """Adaptors that are polled and have not been yet: a STOP that came while oncue was away is heard before anything is sent."""
        self._lanes: dict[str, _Lane] = {}
        self._slots: dict[str, _Slots] = {}
        self._most = MOST_IDLE
        self._taken: list[tuple[str, str, float]] = []
        """What this transaction took (adaptor, lane, when the lane's turn was before) and gave back (no lane)."""
        self._due_before: dict[str, tuple[bool, int]] = {}
        """Of the lanes this transaction looked into: whether anything waited, and when it was due."""

    def take(self, adaptor: str, lane: str, per_second: float) -> bool:
        """Take a slot and the lane's turn for a message just made, unless others are due before it. Those that wait for a time to come (a
        morning, a retry, the end of a pause) hold up nobody: once they are due, whatever is made after that waits behind them."""
        state = self._lane(adaptor, lane, per_second)
        return not (state.waiting and state.due_at <= clock.now()) and self._take(state, lane)

    def take_waiting(self, lane: str) -> bool:
        """Take a slot and the lane's turn for one that waited. The lane goes behind the others, so that none starves."""
        state = self._lanes[lane] = self._lanes.pop(lane)
        return self._take(state, lane)

    def _take(self, state: _Lane, lane: str) -> bool:
        slots = self._slot(state.adaptor)
        now = clock.elapsed()
        rate = state.per_second
        tolerance = _BURST_FOR if rate * _BURST_FOR > 1 else 0.0
        if self.is_closed or not self.free(state.adaptor) or state.rests_until > now:
            return False
        if rate and state.next_at - tolerance > now:
            return False
        if state.tries:  # this one tries; whatever becomes of it, the next does so later
            _rest(state)
        self._taken.append((state.adaptor, lane, state.next_at))
        slots.used += 1
        if rate:
            state.next_at = max(state.next_at, now) + 1 / rate
        return True

    def free(self, adaptor: str) -> int:
        """Slots free now."""
        slots = self._slot(adaptor)
        return 0 if adaptor in self.unheard else max(0, int(slots.limit) - slots.used)

    def release(self, adaptor: str) -> None:
        """A call has ended and its result is recorded."""
        slots = self._slot(adaptor)
        if not slots.used:  # a call of an earlier boot
            return
        self._taken.append((adaptor, "", 0.0))
        slots.used -= 1
        slots.limit = min(float(SLOTS), slots.limit + 1 / slots.limit)

    def throttle(self, adaptor: str) -> None:
        """The provider answered 429: half as many calls at a time, growing back by one a round."""
        slots = self._slot(adaptor)
        slots.limit = max(1.0, slots.limit / 2)

    def failed(self, lane: str) -> None:
        """A call came to nothing: the provider could not be reached, or gave no answer of use."""
        state = self._lanes.get(lane)
        if state is None:
            return
        state.failures += 1
        if state.failures >= FAILURES and not state.tries:
            log.warning(
                "%s: %d calls in a row came to nothing; from now on one message at a time tries", lane, state.failures
            )
            state.rests_since = clock.now()
            _rest(state)

    def worked(self, lane: str) -> None:
        """The provider answered, whatever it said: nothing keeps the lane any more."""
        state = self._lanes.get(lane)
        if state is None:
            return
        if state.tries:
            log.warning("%s: the provider answers again", lane)
        state.failures = state.tries = 0
        state.rests_until = 0.0

    def resting(self) -> list[Resting]:
        """Lanes that rest. May be asked for on any thread."""
        return [
            Resting(one.adaptor, lane, one.rests_since, one.waiting, one.waited_at)
            for lane, one in self._lanes.copy().items()
            if one.tries
        ]

    def waits(self, adaptor: str, lane: str, per_second: float, due_at: int) -> None:
        """A message waits in this lane, due then."""
        state = self._lane(adaptor, lane, per_second)
        state.due_at = min(state.due_at, due_at) if state.waiting else due_at
        state.waiting = True

    def waiting(self) -> list[tuple[str, str]]:
        """Lanes (adaptor, lane) whose next message may be due and paced to go now."""
        now, steady = clock.now(), clock.elapsed()
        return [
            (state.adaptor, lane)
            for lane, state in self._lanes.items()
            if state.waiting
            and state.due_at <= now
            and max(state.next_at, state.rests_until) <= steady
            and self.free(state.adaptor)
        ]

    def allowed(self, lane: str) -> int:
        """How many messages the lane's pacing allows now."""
        state = self._lanes[lane]
        if state.tries:
            return 1
        if not state.per_second:
            return 1_000
        return max(1, int(state.per_second * _BURST_FOR))

    def due(self, lane: str, due_at: int | None) -> None:
        """The next message of the lane is due then; None if none waits any more."""
        state = self._lanes[lane]
        self._due_before.setdefault(lane, (state.waiting, state.due_at))
        state.waiting = due_at is not None
        state.waited_at = clock.now()
        state.due_at = due_at or 0

    def next_after(self, is_active: dict[str, bool]) -> float | None:
        """Seconds until some lane may go on, if any waits for time rather than for a slot."""
        now, steady = clock.now(), clock.elapsed()
        times = [
            max((state.due_at - now) / clock.SECOND, state.next_at - steady, state.rests_until - steady, 0.0)
            for state in self._lanes.values()
            if state.waiting and is_active.get(state.adaptor) and self.free(state.adaptor)
        ]
        return min(times, default=None)

    def commit(self) -> None:
        """The transaction in which slots were taken holds."""
        self._taken.clear()
        self._due_before.clear()
        if len(self._lanes) > self._most:
            now = clock.elapsed()
            self._lanes = {
                name: lane
                for name, lane in self._lanes.items()
                if lane.waiting or max(lane.next_at, lane.rests_until) > now
            }
            self._most = len(self._lanes) + MOST_IDLE

    def roll_back(self) -> None:
        """It does not: give back what it took."""
        for adaptor, lane, next_at in reversed(self._taken):
            if lane:
                self._slot(adaptor).used -= 1
                self._lanes[lane].next_at = next_at
            else:
                self._slot(adaptor).used += 1
        for lane, (waiting, due_at) in self._due_before.items():
            self._lanes[lane].waiting, self._lanes[lane].due_at = waiting, due_at
        self._taken.clear()
        self._due_before.clear()

    def _lane(self, adaptor: str, lane: str, per_second: float) -> _Lane:
        state = self._lanes.get(lane)
        if state is None:
            state = self._lanes[lane] = _Lane(adaptor)
        state.per_second = per_second
        return state

    def _slot(self, adaptor: str) -> _Slots:
        slots = self._slots.get(adaptor)
        if slots is None:
            slots = self._slots[adaptor] = _Slots()
        return slots


def _rest(state: _Lane) -> None:
    state.rests_until = clock.elapsed() + min(LONGEST_REST_FOR, REST_FOR * (1 << min(state.tries, 10)))
    state.tries += 1
