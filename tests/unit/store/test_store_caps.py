"""Nobody is texted too often: a cap holds across rules, adaptors and requests, and is decided in the transaction that claims."""

from __future__ import annotations

import threading

from inside import TWILIO
from oncue.core import clock
from oncue.core.outcome import Blame, Rejected, Retry
from oncue.store.jobs import Edit, Record, Sweep
from oncue.store.results import Attempted
from policed import (
    ANN,
    EMAIL,
    NEWS,
    OFFER,
    capped,
    furnish,
    hour,
    house,
    offers,
    reason,
)

__all__ = ["hour", "house"]


def test_of_one_request_as_many_go_as_the_cap_allows(hour, inside):
    capped(inside)
    assert offers(inside, "ann", "ann", "bob", "ann", "bob") == [
        "submitting", "submitting", "submitting", "suppressed capped", "submitting"
    ]  # fmt: skip
    assert inside.events("ann")[-1] == "message.suppressed"
    ((found,),) = inside.rows("SELECT reason FROM store_message WHERE state = 'suppressed'")
    assert found == "capped: ann was sent 2 promotional messages in the last 7 days, and the cap is 2."


def test_one_after_another_too_and_whatever_became_of_them_at_the_carrier(hour, inside):
    capped(inside)
    assert offers(inside, "ann") == ["submitting"]
    inside.submit_claimed()
    assert offers(inside, "ann") == ["submitting"]
    assert offers(inside, "ann", "bob") == ["suppressed capped", "submitting"]


def test_the_cap_counts_across_rules_and_adaptors(hour, inside):
    letter = NEWS.replace("twilio.send_message", "email.send").replace("user.phone_number", "user.email")
    capped(inside, OFFER, letter.replace("body:", "subject: News, text:"), adaptors=TWILIO + EMAIL)
    assert offers(inside, "ann") == offers(inside, "ann", name="published") == ["submitting"]
    assert offers(inside, "ann") == offers(inside, "ann", name="published") == ["suppressed capped"]


def test_the_window_slides(hour, inside):
    capped(inside, days=2)
    hour.set("15 12:00:00")
    assert offers(inside, "ann") == ["submitting"]
    hour.set("16 12:00:00")
    assert offers(inside, "ann") == ["submitting"]
    hour.set("17 11:59:59.999")
    assert offers(inside, "ann") == ["suppressed capped"]
    hour.set("17 12:00:00.001")
    assert offers(inside, "ann", "ann") == ["submitting", "suppressed capped"]


def test_transactional_messages_neither_count_nor_are_held_to_it(hour, inside):
    capped(inside, cap=1)
    assert offers(inside, "ann", "ann", name="booked") == ["submitting", "submitting"]
    assert offers(inside, "ann") == ["submitting"]
    assert offers(inside, "ann", name="booked") == ["submitting"]


def test_unless_the_policy_says_so(hour, inside):
    capped(inside, more=", cap_categories: [transactional, promotional]")
    assert offers(inside, "ann", name="booked") == offers(inside, "ann") == ["submitting"]
    assert offers(inside, "ann", name="booked") == ["suppressed capped"]
    assert "2 transactional or promotional messages" in reason(inside)


def test_what_was_not_sent_does_not_count(hour, inside):
    capped(inside, cap=1)
    inside.take({"type": "user", "user": "ann", "properties": {"phone_number": "12"}})
    assert offers(inside, "ann") == ["rejected invalid_field"]
    inside.take({"type": "user", "user": "ann", "properties": {"phone_number": ANN}})
    assert offers(inside, "ann") == ["submitting"]
    inside.ended(inside.claimed.pop().id, Rejected("No such number", blame=Blame.RECIPIENT, code="21211"))
    assert offers(inside, "ann") == ["submitting"]
    assert offers(inside, "ann") == offers(inside, "ann") == ["suppressed capped"], "nor do refusals make it worse"


def test_what_may_have_been_sent_counts(hour, inside):
    capped(inside, cap=1)
    offers(inside, "ann")
    inside.close()
    inside.open()
    assert inside.states() == {"unknown": 1}
    assert offers(inside, "ann") == ["suppressed capped"]


def test_a_message_that_waits_counts_when_it_is_claimed_and_is_then_held_to_the_cap(hour, inside):
    inactive = TWILIO.replace("twilio:\n", "twilio:\n    state: inactive\n")
    capped(inside, adaptors=inactive)
    assert offers(inside, "ann", "ann", "ann") == ["waiting"] * 3
    capped(inside)
    inside.do(Sweep())
    assert sorted(row[0] for row in inside.messages("state")) == ["submitting", "submitting", "suppressed"]


def test_a_retry_is_not_held_up_by_itself(hour, inside):
    capped(inside, cap=1)
    offers(inside, "ann")
    inside.ended(inside.claimed.pop().id, Retry("Too many requests", after=60))
    hour.now += 120 * clock.SECOND
    inside.do(Sweep())
    assert inside.states() == {"submitting": 1}


def test_what_the_same_transaction_says_was_not_sent_does_not_count(hour, inside):
    """The database still calls it `submitting` when the next offer asks."""
    capped(inside, cap=1)
    offers(inside, "ann")
    refused = Attempted(
        message=inside.claimed.pop().id, adaptor="twilio", number=1, outcome=Rejected("No", blame=Blame.RECIPIENT),
        started_at=hour.now, ended_at=hour.now,
    )  # fmt: skip
    queued = threading.Event()

    async def release() -> None:
        queued.set()

    before = inside.writer.transactions
    do = inside.writer.do
    offer = inside.calling("POST", "/v1/events", b'{"type": "event", "user": "ann", "name": "offered"}')
    inside.gather([do(Edit(lambda: queued.wait(30))), do(Record(refused)), offer, release()])
    assert inside.writer.transactions <= before + 2, "the last two in one"
    assert inside.states() == {"rejected": 1, "submitting": 1}


def test_messages_that_reach_nobody_neither_count_nor_are_held_to_it(hour, inside):
    hook = '\n  - key: hook\n    state: "on"\n    category: promotional\n    triggers: [offered]\n    actions: [{action: webhook.request, url: "https://a.example/"}]\n'
    capped(inside, OFFER, hook, cap=2, adaptors=TWILIO + "  webhook: {}\n")
    for _ in range(3):
        inside.event("ann", "offered")
    assert [state for adaptor, state in inside.messages("adaptor, state") if adaptor == "webhook"] == ["submitting"] * 3
    texts = [state for adaptor, state in inside.messages("adaptor, state") if adaptor == "twilio"]
    assert texts == ["submitting", "submitting", "suppressed"]


def test_a_message_that_waits_for_the_morning_takes_no_place_under_the_cap(hour, inside):
    furnish(inside, "{cap_messages: 1}", OFFER)
    hour.set("15 22:00:00")
    assert offers(inside, "ann", "ann") == ["waiting quiet_hours"] * 2
    hour.set("16 08:00:00")
    inside.do(Sweep())
    assert sorted(row[0] for row in inside.messages("state")) == ["submitting", "suppressed"]
