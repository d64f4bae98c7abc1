"""The reconciler's turns: whoever cannot be settled keeps nobody else waiting."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from oncue import adaptors
from oncue.core import clock
from oncue.core.adaptor import Asked, Found, Polled, Sought
from oncue.store import doubt, late
from oncue.store.doubt import InDoubt
from oncue.workers import reconciler
from oncue.workers.reconciler import PATIENCE, Reconciler


class Round:
    """A reconciler over a store of messages in doubt, one to each number, and a list that answers as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        self.known = [InDoubt(f"m{n}", "twilio", f"+1617555{n:04d}", 0) for n in range(count)]
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {}
        self.busy: set[str] = set()
        self.settled: list[str] = []
        adaptor = _copy(adaptors.load()["twilio"], find=self.find)
        writer = SimpleNamespace(
            snapshot=SimpleNamespace(
                catalogue={"twilio": adaptor},
                adaptors={"twilio": None},
                active=lambda _: SimpleNamespace(config={}),
            ),
            gauges={},
            do=self.do,
        )
        client = SimpleNamespace(recording=lambda _: None)
        monkeypatch.setattr(doubt, "in_doubt", lambda: self.known)
        monkeypatch.setattr(
            doubt, "sought", lambda ids: [Sought(message=one, fields={}, since=0, until=0) for one in ids]
        )
        monkeypatch.setattr(doubt, "under_way", lambda *_: frozenset(self.busy))
        monkeypatch.setattr(late, "find", lambda *_: late.Late(asked=(), seen=0, places=(), behind_for=0))
        self.reconciler = Reconciler(writer, client)  # type: ignore[arg-type]

    async def find(self, _http: Any, _config: Any, to: str, _sought: Any) -> Found:
        self.asked.append(to)
        answer = self.answers.get(to, Found())
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def do(self, job: Any) -> frozenset[str]:
        ids = [one for looked in job.looked for one in looked.messages]
        self.settled += ids
        return frozenset(ids)

    def look(self) -> None:
        asyncio.run(self.reconciler.look())


def _copy(adaptor: Any, **changes: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(adaptor, **changes)


@pytest.fixture(autouse=True)
def turned_back():
    yield
    clock.turn(-clock._turned_by)


@pytest.mark.faults
@pytest.mark.parametrize("answer", [Found(problem="Too many."), ValueError("a fault")])
def test_a_number_whose_list_cannot_be_read_lets_the_others_go_first(monkeypatch, answer):
    house = Round(monkeypatch, 12)
    house.answers[house.known[0].recipient] = answer
    for _ in range(6):
        house.look()
        clock.turn(31 * clock.SECOND)
    assert {one.id for one in house.known[1:]} <= set(house.settled)
    assert house.known[0].id not in house.settled


def test_a_carrier_that_refuses_is_left_alone_for_as_long_as_it_says(monkeypatch):
    house = Round(monkeypatch, 20)
    house.answers = {one.recipient: Found(problem="Slow down.", after=90.0) for one in house.known}
    house.look()
    assert len(house.asked) == reconciler.AT_ONCE
    clock.turn(80 * clock.SECOND)
    house.look()
    assert len(house.asked) == reconciler.AT_ONCE
    clock.turn(11 * clock.SECOND)
    house.look()
    assert len(house.asked) == 2 * reconciler.AT_ONCE


def test_numbers_with_something_under_way_let_the_others_go_first(monkeypatch):
    monkeypatch.setattr(reconciler, "NUMBERS", 2)
    house = Round(monkeypatch, 4)
    house.busy = {one.recipient for one in house.known[:2]}
    house.look()
    house.look()
    assert house.settled == ["m2", "m3"]
    house.busy = set()
    clock.turn(61 * clock.SECOND)
    house.look()
    house.look()
    assert sorted(set(house.settled)) == ["m0", "m1", "m2", "m3"]


def test_whoever_is_due_longest_comes_first(monkeypatch):
    monkeypatch.setattr(reconciler, "NUMBERS", 2)
    house = Round(monkeypatch, 5)
    for _ in range(3):
        house.look()
        clock.turn(61 * clock.SECOND)
    assert set(house.settled) == {f"m{n}" for n in range(5)}


def test_only_two_looks_that_lacked_it_are_two_however_often_it_was_held(monkeypatch):
    house = Round(monkeypatch, 1)
    lacked = iter([frozenset[str](), frozenset({"m0"}), frozenset[str]()])
    known_before: list[bool] = []

    async def do(job: Any) -> frozenset[str]:
        known_before.append("m0" in job.looked[0].absent)
        return next(lacked)

    monkeypatch.setattr(house.reconciler._writer, "do", do)
    for seconds in (0, 61, 540, 59, 2):  # held for ten minutes, then lacked, then a grace time
        clock.turn(seconds * clock.SECOND)
        house.look()
    assert known_before == [False, False, True]


@pytest.mark.faults
@pytest.mark.parametrize(
    "answer", [Polled(reports=(), problem="a 500 each time"), RuntimeError("a bug")], ids=["refused", "raises"]
)
def test_what_can_never_be_asked_after_lets_others_have_their_turn(monkeypatch, answer):
    """It is asked after again a few times, then left until its next age; a success begins the count anew."""
    round_ = Round(monkeypatch, 0)
    answers = [answer] * 3 + [Polled(reports=())] + [answer] * PATIENCE

    async def fetch(*_: Any) -> Polled:
        told = answers.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    jobs: list[Any] = []

    async def do(job: Any) -> None:
        jobs.append(len(answers))

    late_one = late.Late(asked=(Asked("SM1", 0),), seen=1, places=("x",), behind_for=0)
    monkeypatch.setattr(late, "find", lambda *_: late_one)
    monkeypatch.setattr(reconciler.Reconciler, "_rests", lambda *_: False)
    writer = round_.reconciler._writer
    writer.do = do  # type: ignore[method-assign,assignment]
    writer.snapshot.catalogue["twilio"] = _copy(writer.snapshot.catalogue["twilio"], fetch=fetch)  # type: ignore[index]
    while answers:
        asyncio.run(round_.reconciler.look())
    assert jobs == [PATIENCE, 0]  # places were moved on after the success, and after the last failure
