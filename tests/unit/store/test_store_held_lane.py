"""A message that waits for a time to come holds up nobody in its lane, and is in its place again once that time is there."""

from __future__ import annotations

import pytest

from inside import LOOP, RULE, Inside, turn
from listening import reads
from oncue.core.outcome import Blame, Rejected, Retry

ANN = {"phone_number": "+15005551001"}
ONE_A_SECOND = LOOP.replace("messages_per_second: 0", "messages_per_second: 1")
OFFER = RULE.replace("confirm", "offer").replace("transactional", "promotional").replace("[booked]", "[offered]")


@pytest.fixture(autouse=True)
def _known(inside: Inside) -> None:
    configure(inside, LOOP + OFFER)
    inside.take({"type": "user", "user": "ann", "properties": {**ANN, "consent_promotional": True}})


def configure(inside: Inside, text: str) -> None:
    inside.apply(text)
    inside.run(inside.writer.probe(5))


def happen(inside: Inside, *names: str) -> None:
    """In one request, each with a number."""
    inside.take(*({"user": "ann", "name": name, "properties": {"n": f"{name} {i}"}} for i, name in enumerate(names)))


def hold(inside: Inside, seconds: float) -> None:
    """One is made, and is to be tried again in so long."""
    happen(inside, "booked")
    inside.ended(inside.claimed.pop().id, Retry("Too many requests", after=seconds))
    assert inside.states() == {"waiting": 1}


def bodies(inside: Inside) -> list[str]:
    found = [str(one.fields["body"]).removeprefix("Booked ") for one in inside.claimed]
    inside.claimed.clear()
    return found


def test_what_is_made_meanwhile_is_claimed_at_birth_and_costs_what_it_does_in_an_empty_lane(inside, monkeypatch):
    free = reads(inside, monkeypatch, ("ann", "booked"))
    inside.submit_claimed()
    happen(inside, "booked")
    inside.ended(inside.claimed.pop().id, Retry("Too many requests", after=600))
    assert reads(inside, monkeypatch, ("ann", "booked")) == free
    assert len(inside.claimed) == 1


def test_a_country_that_is_paused_holds_up_no_other_in_the_lane(inside, monkeypatch):
    free = reads(inside, monkeypatch, ("ann", "booked"))
    inside.submit_claimed()
    inside.event("bob", "booked", user_properties={"phone_number": "+353851234567"})
    inside.ended(inside.claimed.pop().id, Rejected("Not permitted", code="21408", blame=Blame.COUNTRY))
    assert inside.rows("SELECT key FROM store_pause") == [("IE",)]
    assert reads(inside, monkeypatch, ("ann", "booked")) == free


def test_once_it_is_due_it_goes_before_whatever_is_made_then(inside):
    configure(inside, ONE_A_SECOND + OFFER)
    hold(inside, 1.6)
    turn(1.1)
    happen(inside, "booked", "booked")
    assert bodies(inside) == ["booked 0"], "the lane's turn, and one that waits for the next"
    turn(1.1)
    happen(inside, "booked")
    for _ in range(2):
        turn(1.1)
        inside.run(inside.writer.probe(5))
    assert [one.attempt for one in inside.claimed] == [1, 2, 1], (
        "by when they were due: the second, the one held, the last"
    )


def test_a_due_transactional_one_goes_before_a_new_promotional_one(inside):
    configure(inside, ONE_A_SECOND + OFFER)
    hold(inside, 1.2)
    turn(1.5)
    happen(inside, "offered")
    (claimed,) = inside.claimed
    assert claimed.attempt == 2, "the one that waited"
    assert inside.states() == {"submitting": 1, "waiting": 1}


def test_before_it_is_due_a_new_promotional_one_need_not_wait_for_it(inside):
    configure(inside, ONE_A_SECOND + OFFER)
    hold(inside, 600)
    turn(1.1)
    happen(inside, "offered")
    assert bodies(inside) == ["offered 0"]
