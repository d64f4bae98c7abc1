"""Why messages wait, as the overview says it."""

from __future__ import annotations

import pytest

from inside import LOOP, Inside, inside
from oncue.core.outcome import Retry
from oncue.store import lanes
from oncue.web.held_up import held_up

__all__ = ["inside"]


@pytest.fixture
def waiting(inside: Inside) -> Inside:
    """Every call has come to nothing, and one more has been asked for since."""
    inside.apply(LOOP)
    for number in range(lanes.FAILURES + 1):
        inside.event(f"u{number}", "booked", user_properties={"phone_number": "+15005551001"})
        for one in inside.claimed:
            inside.ended(one.id, Retry("The request could not be sent: nobody listens."))
        inside.claimed.clear()
    return inside


def test_what_waits_while_the_provider_does_not_answer_is_not_said_to_be_paced(waiting: Inside):
    resting = waiting.writer.resting()
    assert [(one.adaptor, one.lane, one.waits) for one in resting] == [("twilio", "twilio +15005550006", True)]
    told = held_up(waiting.writer.snapshot, {one.adaptor for one in resting})
    assert [(one.count, one.title) for one in told] == [
        (lanes.FAILURES, "to be tried again at Twilio"),
        (1, "waits for Twilio to answer"),
    ]
    assert "no faster" in held_up(waiting.writer.snapshot)[-1].sentence
