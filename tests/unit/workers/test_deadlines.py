"""Deadlines of many calls under one timer."""

import asyncio

import pytest

from oncue.core import clock
from oncue.workers.deadlines import Deadlines


async def call(deadlines: Deadlines, within: float, takes: float) -> str:
    limit = deadlines.set(within)
    try:
        async with limit:
            await asyncio.sleep(takes)
    except TimeoutError:
        return "too late"
    finally:
        deadlines.unset(limit)
    return "in time"


def test_each_call_has_its_own_deadline():
    async def calls() -> list[str]:
        deadlines = Deadlines()
        return await asyncio.gather(
            call(deadlines, 0.3, 60), call(deadlines, 60, 0.5), call(deadlines, 0.1, 60), call(deadlines, 60, 0)
        )

    began = clock.elapsed()
    assert asyncio.run(calls()) == ["too late", "in time", "too late", "in time"]
    assert clock.elapsed() - began < 5


def test_after_a_pause_and_on_another_loop_they_hold_again():
    deadlines = Deadlines()
    for _ in range(2):
        assert asyncio.run(call(deadlines, 60, 0)) == "in time"
        assert asyncio.run(call(deadlines, 0.05, 60)) == "too late"


def test_who_is_cancelled_for_another_reason_hears_of_that():
    async def cancelled() -> None:
        task = asyncio.create_task(call(Deadlines(), 60, 60))
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_what_goes_on_for_all_that_is_left_to_end_by_itself():
    """Who swallows the first cancellation is not cancelled again and again."""

    async def stubborn() -> str:
        deadlines = Deadlines()
        limit = deadlines.set(0.05)
        try:
            async with limit:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    await asyncio.sleep(0.4)
                return "ended"
        finally:
            deadlines.unset(limit)

    assert asyncio.run(stubborn()) == "ended"


def test_a_deadline_goes_by_the_clock_that_also_runs_while_the_machine_sleeps(monkeypatch):
    monkeypatch.setattr(clock, "_turned_by", 0)

    async def slept() -> str:
        task = asyncio.create_task(call(Deadlines(), 60, 5))
        await asyncio.sleep(0)
        clock.turn(61_000)
        return await task

    assert asyncio.run(slept()) == "too late"


def test_there_is_one_timer_and_in_the_end_none():
    async def timers() -> None:
        deadlines = Deadlines()
        first, second = deadlines.set(60), deadlines.set(60)
        timer = deadlines._look_later
        deadlines.unset(first)
        deadlines.set(60)
        assert timer is deadlines._look_later and timer is not None and not timer.cancelled()
        for limit in list(deadlines._ends):
            deadlines.unset(limit)
        assert timer.cancelled() and deadlines._look_later is None and second not in deadlines._ends

    asyncio.run(timers())


def test_a_fault_in_one_leaves_the_others_their_deadlines():
    async def calls() -> str:
        deadlines = Deadlines()
        deadlines.set(0)  # and it is never entered, which cannot end
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        await asyncio.sleep(0.2)
        return await call(deadlines, 0.1, 5)

    assert asyncio.run(calls()) == "too late"
