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


def test_nothing_is_left_behind():
    async def left() -> tuple[object, object]:
        deadlines = Deadlines()
        await call(deadlines, 60, 0)
        return deadlines._ends, deadlines._look_later

    assert asyncio.run(left()) == ({}, None)
