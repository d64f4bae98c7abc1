"""The supervisor keeps the workers going: one that fails is tried again, and never takes the process with it."""

import asyncio
import logging

import pytest
from django.db import DatabaseError

from oncue.core import backoff
from oncue.core.items import Overloaded, StoreUnavailable
from oncue.workers.supervisor import Supervisor


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(backoff, "after", lambda failures: 0.001)


def keep(work, seconds: float = 0.001) -> Supervisor:
    """Run it under a supervisor until it says that it is done."""

    async def act() -> Supervisor:
        supervisor, done = Supervisor(), asyncio.Event()
        supervisor.every(seconds, "worker", lambda: work(done))
        await asyncio.wait_for(done.wait(), 5)
        await supervisor.stop(5)
        return supervisor

    return asyncio.run(act())


def failing_twice(error: Exception):
    runs: list[int] = []

    async def work(done: asyncio.Event) -> None:
        runs.append(1)
        if len(runs) <= 2:
            raise error
        done.set()

    return work


@pytest.mark.faults
def test_a_fault_is_logged_and_the_work_is_tried_again(caplog):
    keep(failing_twice(ZeroDivisionError("ours")))
    logged = [record for record in caplog.records if record.exc_info]
    assert len(logged) == 2 and "worker failed because of a fault in oncue" in logged[0].getMessage()


@pytest.mark.parametrize("error", [StoreUnavailable("away"), Overloaded(1.0), DatabaseError("locked")], ids=repr)
def test_a_store_that_is_away_is_waited_for_without_a_trace(error, caplog):
    with caplog.at_level(logging.WARNING):
        keep(failing_twice(error))
    assert [record.getMessage() for record in caplog.records] == [f"worker waits for the store: {error}"] * 2
    assert not any(record.exc_info for record in caplog.records)


def test_one_that_fails_does_not_hold_up_another(caplog):
    async def act() -> None:
        supervisor, done = Supervisor(), asyncio.Event()

        async def away() -> None:
            raise StoreUnavailable("away")

        async def fine() -> None:
            done.set()

        supervisor.every(0.001, "away", away)
        supervisor.every(0.001, "fine", fine)
        await asyncio.wait_for(done.wait(), 5)
        await supervisor.stop(5)

    asyncio.run(act())


def test_stopping_lets_work_finish_and_ends_what_does_not():
    ended: list[str] = []

    async def act() -> None:
        supervisor, begun = Supervisor(), asyncio.Event()

        async def quick() -> None:
            await asyncio.sleep(0.05)
            ended.append("quick finished")

        async def endless() -> None:
            try:
                begun.set()
                await asyncio.Event().wait()
            finally:
                ended.append("endless ended")

        supervisor.every(60, "quick", quick)
        supervisor.every(60, "endless", endless)
        await begun.wait()
        await supervisor.stop(0.3)

    asyncio.run(act())
    assert ended == ["quick finished", "endless ended"]
