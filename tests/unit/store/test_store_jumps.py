"""The wall clock jumps, both ways, by hours and days: timers neither hang nor fire early, nothing is lost, nobody is texted at night."""

from __future__ import annotations

import time

import pytest

from inside import KEYS, LOOP, RULE, TWILIO, Inside, turn
from oncue.core import clock
from oncue.core.outcome import Blame, Rejected, Retry
from oncue.store import jumps
from oncue.store.jobs import Edit, Sweep
from oncue.store.retention import Retention, save_retention
from oncue.workers.janitor import Janitor

ANN = {"phone_number": "+353851234567", "consent_promotional": True}


@pytest.fixture(autouse=True)
def _unturned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: time.time_ns() // 1_000_000 + clock._turned_by + _wrong[0])  # noqa: TID251
    _wrong[0] = 0


_wrong = [0]


def set_clock(inside: Inside, by: float) -> None:
    """The wall clock is set, so many milliseconds from where it is; the steady one is not."""
    _wrong[0] += int(by)
    inside.run(inside.writer.probe(5))


def book(inside: Inside, count: int = 1, name: str = "booked") -> None:
    inside.take(*[{"type": "event", "user": "ann", "name": name, "user_properties": ANN}] * count)


def tick(inside: Inside, seconds: float = 0.0) -> None:
    turn(seconds)
    inside.run(inside.writer.probe(5))


def held(inside: Inside) -> None:
    """One waits to be tried again in a minute."""
    book(inside)
    inside.ended(inside.claimed.pop().id, Retry("busy", after=60))


@pytest.mark.parametrize("by", [clock.HOUR, clock.DAY])
def test_set_back_nothing_that_waits_hangs(inside, by):
    held(inside)
    set_clock(inside, -by)
    tick(inside, 55)
    assert inside.states() == {"waiting": 1}  # nor is it tried early
    tick(inside, 30)
    assert inside.states() == {"submitting": 1}


@pytest.mark.parametrize("by", [clock.HOUR, clock.DAY])
def test_set_back_and_right_again_it_goes_as_if_nothing_had_been(inside, by):
    held(inside)
    (before,) = inside.messages("due_at, send_by")
    set_clock(inside, -by)
    held(inside)
    set_clock(inside, by)
    (first, second) = inside.messages("due_at, send_by")
    assert abs(first[0] - before[0]) < 1_000 and abs(first[1] - before[1]) < 1_000
    assert abs(second[0] - before[0]) < 15_000 and abs(second[1] - before[1]) < 5_000
    inside.do(Sweep())
    assert inside.states() == {"waiting": 2} and not inside.writer.doubts_clock


@pytest.mark.parametrize("by", [clock.HOUR, clock.DAY])
def test_ahead_and_right_again_what_was_made_meanwhile_does_not_hang_and_nothing_has_expired(inside, by):
    held(inside)
    (before,) = inside.messages("send_by")
    set_clock(inside, by)
    inside.do(Sweep())
    held(inside)
    assert "expired" not in inside.states()
    set_clock(inside, -by)
    assert all(abs(send_by - before[0]) < 5_000 for (send_by,) in inside.messages("send_by"))
    assert all(due_at < clock.now() + 80_000 for (due_at,) in inside.messages("due_at"))
    assert not inside.writer.doubts_clock


def test_what_is_too_late_by_a_clock_that_has_leapt_ahead_waits_an_hour_for_it_to_be_set_right_and_is_not_sent(inside):
    """A virtual machine that was paused is right to be ahead: a text hours late is worse than none."""
    held(inside)
    set_clock(inside, clock.DAY)
    for _ in range(3):
        tick(inside, 61)
        inside.do(Sweep())
    assert inside.states() == {"waiting": 1} and not inside.claimed
    tick(inside, jumps.DOUBTED_FOR)
    inside.do(Sweep())
    assert inside.states() == {"expired": 1}


def test_a_pause_does_not_last_a_day_because_the_clock_was_set_back(inside):
    book(inside)
    inside.ended(inside.claimed.pop().id, Rejected("no", blame=Blame.ACCOUNT, code="20003"))
    set_clock(inside, -clock.DAY)
    tick(inside, 301)
    assert inside.states() == {"submitting": 1}


def test_a_clock_that_was_set_back_while_oncue_was_away_lets_nothing_hang_and_is_mended_once(inside):
    held(inside)
    inside.close()
    _wrong[0] -= clock.DAY
    inside.open()
    inside.run(inside.writer.probe(5))
    (due_at, send_by), *_ = inside.messages("due_at, send_by")
    assert abs(due_at - clock.now()) < 80_000
    inside.close()
    inside.open()
    inside.run(inside.writer.probe(5))
    assert inside.messages("due_at, send_by") == [(due_at, send_by)]


def test_a_small_step_is_no_jump_and_nor_is_sleep(inside):
    held(inside)
    before = inside.messages("due_at, send_by")
    set_clock(inside, -20 * clock.SECOND)
    turn(3_600)  # both clocks: the lid was shut
    assert not inside.writer.doubts_clock
    set_clock(inside, 20 * clock.SECOND)
    assert inside.messages("send_by") == [before[0][1:]]


def test_a_leap_ahead_lets_nobody_have_more_than_the_cap_allows(inside):
    inside.apply(LOOP.replace("policy: {", "policy: {cap_messages: 1, cap_days: 1, cap_categories: [transactional], "))
    book(inside)
    inside.submit_claimed()
    set_clock(inside, clock.DAY + clock.HOUR)
    book(inside)
    assert inside.states() == {"accepted": 1, "suppressed": 1}


NIGHT = (
    KEYS.replace("quiet_from: '08:00', quiet_to: '08:00'", "quiet_from: '21:00', quiet_to: '08:00'")
    + TWILIO
    + "rules:"
    + RULE.replace("transactional", "promotional")
)


@pytest.mark.parametrize("wrong", [-6 * clock.HOUR, 6 * clock.HOUR])
def test_it_is_quiet_while_it_is_night_by_either_clock(inside, wrong):
    """At three in the afternoon by a clock that was set a moment ago, and at night by what it said before."""
    inside.apply(NIGHT)
    afternoon = 15 * clock.HOUR if wrong > 0 else 12 * clock.HOUR
    _wrong[0] = _until(afternoon) - wrong * 2
    inside.close()
    inside.open()
    set_clock(inside, wrong * 2)
    book(inside)
    assert inside.states() == {"waiting": 1}
    ((reason,),) = inside.messages("reason")
    assert "clock was set" in reason
    tick(inside, jumps.DOUBTED_FOR + 1_000)
    assert inside.states() == {"submitting": 1}


def _until(hour: int) -> int:
    """Milliseconds until it is that hour in Dublin, in winter."""
    return (hour - clock.now() % clock.DAY) % clock.DAY


def test_nothing_is_forgotten_while_the_clock_is_in_doubt(inside):
    inside.event("ann", "n")
    inside.do(Edit(lambda: save_retention(Retention(events=40), "a test")))
    set_clock(inside, 50 * clock.DAY)
    inside.run(Janitor(inside.writer).forget())
    assert inside.events() == ["n"]
    tick(inside, jumps.DOUBTED_FOR + 1)
    inside.run(Janitor(inside.writer).forget())
    assert inside.events() == []
