"""Copies at providers: each is asked to forget once, tried again with patience, and given up in the end, which is said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from inside import Inside, turn
from oncue.core.adaptor import Redacted
from oncue.store import copies
from oncue.store.jobs import Edit
from oncue.workers import copies as worker
from oncue.workers.copies import Copies
from oncue.workers.http import Client

DAY = 86_400


class Provider:
    """Answers as told; `asked` is what it was asked for."""

    def __init__(self, inside: Inside, **answers: Redacted | Exception) -> None:
        self.asked: list[str] = []
        self.answers = answers
        self.client = Client()
        twilio = msgspec.structs.replace(inside.catalogue["twilio"], redact=self._redact)
        inside.writer.snapshot = msgspec.structs.replace(
            inside.writer.snapshot, catalogue={**inside.catalogue, "twilio": twilio}
        )
        self.copies = Copies(inside.writer, self.client)

    async def _redact(self, http: Any, config: Any, sid: str) -> Redacted:
        self.asked.append(sid)
        answer = self.answers.get(sid, Redacted())
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(inside: Inside, *sids: str) -> None:
    for one in sids:
        inside.do(Edit(lambda one=one: copies.ask("twilio", [one], 0)))  # type: ignore[misc]


def left(inside: Inside) -> dict[str, int]:
    return dict(inside.rows("SELECT provider_id, tries FROM store_copy"))


@pytest.mark.faults
def test_what_is_done_or_not_there_is_done_with_and_what_fails_is_put_off(inside: Inside):
    ask(inside, "a", "poison", "not-there", "not-yet", "z")
    provider = Provider(
        inside,
        poison=RuntimeError("a bug"),
        **{"not-there": Redacted(problem="no", is_unknown=True), "not-yet": Redacted(problem="not yet")},
    )
    inside.run(provider.copies.look())
    assert left(inside) == {"poison": 1, "not-yet": 1}
    assert inside.writer.gauges["provider_copies", "twilio"] == 2
    inside.run(provider.copies.look())
    assert len(provider.asked) == 5, "not before its time"
    provider.answers.clear()
    turn(61)
    inside.run(provider.copies.look())
    assert left(inside) == {} and inside.writer.totals["provider_copy", "done"] == 4


def test_waits_grow_to_a_day_and_after_a_month_it_is_given_up_and_said(inside: Inside, caplog):
    ask(inside, "never")
    provider = Provider(inside, never=Redacted(problem="Twilio is not done with the message yet."))
    days = 0
    while left(inside):
        inside.run(provider.copies.look())
        turn(DAY)
        days += 1
        assert days < 60
    assert days == copies.MOST_TRIES and "still has what message never says" in caplog.text
    assert inside.writer.totals["provider_copy", "given_up"] == 1
    assert copies.Copy(1, "x", 30).after == DAY * 1_000


@pytest.mark.parametrize("after", [None, 120.0])
def test_a_provider_that_takes_no_requests_is_left_alone_and_nothing_counts_as_tried(
    inside: Inside, after: float | None, monkeypatch
):
    monkeypatch.setattr(worker, "AT_ONCE", 1)
    ask(inside, "a", "b")
    refusal = Redacted(problem="Too many requests.", is_ours=True, after=after)
    provider = Provider(inside, a=refusal, b=refusal)
    inside.run(provider.copies.look())
    inside.run(provider.copies.look())
    assert (provider.asked, left(inside)) == (["a"], {"a": 0, "b": 0})
    turn((after or worker.REST_FOR) + 1)
    inside.run(provider.copies.look())
    assert provider.asked == ["a", "b"], "another has its turn first"


def test_an_adaptor_that_is_not_active_is_not_asked(inside: Inside):
    ask(inside, "a")
    provider = Provider(inside)
    inside.writer.snapshot = msgspec.structs.replace(inside.writer.snapshot, adaptors={})
    inside.run(provider.copies.look())
    assert (provider.asked, left(inside)) == ([], {"a": 0})
