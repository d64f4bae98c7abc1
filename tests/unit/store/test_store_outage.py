"""A provider that is down costs a call now and then, not one for each message; and once it answers again, all go at once."""

from __future__ import annotations

import pytest

from inside import Inside, turn
from oncue.core import clock
from oncue.core.outcome import Outcome, Rejected, Retry, Submitted, Unknown
from oncue.store.lanes import FAILURES, LONGEST_REST_FOR, SLOTS

ANN = {"phone_number": "+15005551001"}


def book(inside: Inside, count: int) -> None:
    inside.take(*[{"type": "event", "user": "ann", "name": "booked", "user_properties": ANN}] * count)


def end(inside: Inside, outcome: Outcome) -> int:
    """All that is claimed comes to that; how many there were."""
    claimed, inside.claimed[:] = list(inside.claimed), []
    for one in claimed:
        inside.ended(one.id, outcome, one.attempt)
    return len(claimed)


def tick(inside: Inside, seconds: float) -> None:
    turn(seconds)
    inside.run(inside.writer.probe(5))


@pytest.mark.parametrize("outcome", [Unknown("503"), Retry("connection refused")], ids=["unknown", "not sent"])
def test_while_a_provider_is_down_one_message_at_a_time_tries(inside, outcome):
    book(inside, 500)
    # Those under way when it went down, and those claimed with the slots they freed until ten in a row had failed.
    assert SLOTS <= end(inside, outcome) + len(inside.claimed) <= SLOTS + FAILURES
    end(inside, outcome)
    tried = 0
    for _ in range(600):
        tick(inside, 1)
        assert len(inside.claimed) <= 1
        tried += end(inside, outcome)
    assert 600 / LONGEST_REST_FOR <= tried <= 600 / LONGEST_REST_FOR + 10
    assert inside.rows("SELECT COUNT(*) FROM store_attempt")[0][0] < SLOTS + FAILURES + 40


def test_once_it_answers_all_that_waited_go(inside):
    book(inside, SLOTS * 3)
    while end(inside, Unknown("503")):
        pass
    before = clock.now()
    tick(inside, LONGEST_REST_FOR)
    assert inside.rows("SELECT COUNT(*) FROM store_message WHERE updated_at > ?", before) == [
        (1,)
    ]  # the others are not touched
    assert end(inside, Submitted(provider_id="SM1", status="queued")) == 1
    inside.run(inside.writer.probe(5))
    assert len(inside.claimed) == SLOTS
    book(inside, 1)
    assert len(inside.claimed) == SLOTS and inside.states()["unknown"] < SLOTS + FAILURES


def test_an_answer_of_any_kind_is_no_outage_and_nor_is_a_failure_here_and_there(inside):
    book(inside, 300)
    for _ in range(20):
        for outcome in [Unknown("lost")] * (FAILURES - 1) + [Rejected("no such number", code="21211")]:
            inside.ended(inside.claimed.pop(0).id, outcome)
    inside.run(inside.writer.probe(5))
    assert len(inside.claimed) == SLOTS


def test_a_rest_is_for_its_lane_alone(inside):
    inside.apply(
        "adaptors:\n  webhook: {}\nrules:\n  - {key: w, name: W, state: 'on', category: transactional, triggers: [told], "
        "actions: [{action: webhook.request, url: 'https://a.example.com/', method: POST}]}\n"
    )
    book(inside, 100)
    while end(inside, Unknown("503")):
        pass
    inside.event("ann", "told")
    assert [one.adaptor for one in inside.claimed] == ["webhook"]
