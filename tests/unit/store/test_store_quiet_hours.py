"""Nobody is texted at night: when a message is made, and again when it is claimed."""

from __future__ import annotations

import pytest

from inside import RULE, TWILIO, turn
from oncue.core import clock
from oncue.core.adaptor import Reply
from oncue.core.outcome import Retry
from oncue.store.jobs import Reports, Sweep
from policed import (
    ANN,
    BOB,
    EMAIL,
    OFFER,
    OPTED_IN,
    SENDER,
    became,
    furnish,
    hour,
    house,
    reason,
)

__all__ = ["hour", "house"]


def test_an_offer_made_at_night_waits_until_morning_and_then_goes(house, hour):
    hour.set("15 22:10:30")
    one = house.event("ann", "offered")
    assert became(house, one) == "waiting quiet_hours" and not house.claimed
    assert house.messages("due_at") == [(clock.parse_iso("2027-01-16 08:00"),)]
    assert reason(house) == "quiet_hours: It was 22:10 (Europe/Dublin), and quiet until 08:00, so it waits until then."
    for time in ("16 00:00:00", "16 07:59:59.999"):
        hour.set(time)
        house.do(Sweep())
        assert became(house, one) == "waiting quiet_hours"
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, one) == "submitting", "and the reason for waiting is gone"
    assert len(house.claimed) == 1


@pytest.mark.parametrize(
    ("time", "becomes"),
    [
        ("15 20:59:59.999", "submitting"),
        ("15 21:00:00", "waiting quiet_hours"),
        ("16 07:59:59.999", "waiting quiet_hours"),
        ("16 08:00:00", "submitting"),
    ],
)
def test_the_night_begins_and_ends_on_the_second(house, hour, time, becomes):
    hour.set(time)
    assert became(house, house.event("ann", "offered")) == becomes


def test_a_transactional_message_goes_at_any_hour(house, hour):
    hour.set("15 23:00:00")
    assert became(house, house.event("ann", "booked")) == "submitting"


def test_it_is_night_where_the_person_is(house, hour):
    hour.set("15 22:00:00")
    assert became(house, house.event("bob", "offered")) == "submitting", "five in New York"
    hour.set("16 03:00:00")
    assert became(house, house.event("bob", "offered")) == "waiting quiet_hours", "ten"
    house.take({"type": "user", "user": "bob", "properties": {"timezone": "Asia/Tokyo"}})
    assert became(house, house.event("bob", "offered")) == "submitting", "noon: the app knows better than the number"


def test_a_message_that_would_be_too_late_by_morning_is_suppressed_at_once(house, hour):
    hour.set("15 21:59:59")
    one = house.event("ann", "offered", {"n": 1})
    hour.set("15 20:00:00")
    furnish(house, "{quiet_from: '19:30'}", OFFER.replace("12h", "11h"))
    house.claimed.clear()
    two = house.event("ann", "offered", {"n": 2})
    assert became(house, one) == "waiting quiet_hours", "eleven hours and a second before eight"
    assert became(house, two) == "suppressed quiet_hours" and not house.claimed
    assert reason(house) == (
        "quiet_hours: It was 20:00 (Europe/Dublin), and quiet until 08:00; it had to be sent by 07:00."
    )
    assert house.events("ann")[-1] == "message.suppressed"


def test_a_message_that_is_still_in_time_on_the_second_goes(house, hour):
    hour.set("15 21:00:00")
    furnish(house, "{}", OFFER.replace("12h", "11h"))
    one = house.event("ann", "offered")
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, one) == "submitting"


def test_a_fallback_rule_hears_of_a_message_that_the_night_stopped(house, hour):
    rule = '  - key: fallback\n    state: "on"\n    triggers: [message.suppressed]\n    actions: [{action: event.emit, name: told}]\n'
    furnish(house, "{}", OFFER.replace("12h", "1h"), rule)
    hour.set("15 23:00:00")
    house.event("ann", "offered")
    assert house.events("ann")[-2:] == ["message.suppressed", "told"]


def test_a_message_that_waited_into_the_night_waits_on_until_morning(house, hour):
    inactive = TWILIO.replace("twilio:\n", "twilio:\n    state: inactive\n")
    furnish(house, "{}", OFFER, adaptors=inactive)
    hour.set("15 20:30:00")
    offered, booked = house.event("ann", "offered"), house.event("ann", "booked")
    short = house.event("bob", "booked")
    assert {became(house, one) for one in (offered, booked, short)} == {"waiting"}
    hour.set("15 21:30:00")
    furnish(house, "{}", OFFER)
    house.do(Sweep())
    assert became(house, offered) == "waiting quiet_hours" and became(house, booked) == "submitting"
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, offered) == "submitting"


def test_and_one_that_would_be_too_late_by_then_is_suppressed_when_its_turn_comes(house, hour):
    inactive = TWILIO.replace("twilio:\n", "twilio:\n    state: inactive\n")
    short = OFFER.replace("12h", "4h")
    furnish(house, "{}", short, adaptors=inactive)
    hour.set("15 20:30:00")
    offered = house.event("ann", "offered")
    hour.set("15 21:30:00")
    furnish(house, "{}", short)
    house.do(Sweep())
    assert became(house, offered) == "suppressed quiet_hours" and house.events("ann")[-1] == "message.suppressed"


def test_a_retry_that_comes_due_at_night_waits_for_the_morning(house, hour):
    hour.set("15 20:59:00")
    one = house.event("ann", "offered")
    house.ended(house.claimed.pop().id, Retry("Too many requests", after=120))
    hour.set("15 21:02:00")
    house.do(Sweep())
    assert became(house, one) == "waiting quiet_hours" and not house.claimed


def test_what_is_said_while_a_message_waits_for_the_morning_holds(house, hour):
    hour.set("15 22:00:00")
    stopped, left = house.event("ann", "offered"), house.event("bob", "offered")
    hour.set("16 03:30:00")
    night = house.event("bob", "offered")
    stop = Reply(
        provider_id="SMreply", address=ANN, sender=SENDER, scopes=(SENDER,), body="STOP", consent="opted_out", properties={}
    )  # fmt: skip
    house.do(Reports("twilio", [stop]))
    house.take({"type": "consent", "user": "bob", "category": "promotional", "state": "opted_out"})
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, stopped) == "suppressed opted_out"
    hour.set("16 13:00:00")
    house.do(Sweep())
    assert became(house, left) == "submitting" and became(house, night) == "suppressed no_consent"
    assert [one.recipient for one in house.claimed] == [BOB]


def test_a_person_who_travels_while_a_message_waits_is_asked_the_time_again(house, hour):
    hour.set("15 22:00:00")
    one = house.event("ann", "offered")
    house.take({"type": "user", "user": "ann", "properties": {"timezone": "America/New_York"}})
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, one) == "suppressed quiet_hours", "three in New York, where morning comes too late"
    assert reason(house).startswith("quiet_hours: It was 03:00 (America/New_York), and quiet until 08:00;")


def test_a_message_that_waits_for_the_morning_survives_a_restart(house, hour):
    hour.set("15 22:00:00")
    one = house.event("ann", "offered")
    house.close()
    hour.set("16 08:00:00")
    house.open()
    house.do(Sweep())
    assert became(house, one) == "submitting"


def test_an_email_wakes_nobody_and_goes_at_night(house, hour):
    letter = OFFER.replace("twilio.send_message", "email.send").replace("user.phone_number", "user.email")
    furnish(house, "{}", letter.replace("body:", "subject: Offer, text:"), adaptors=TWILIO + EMAIL)
    hour.set("15 23:00:00")
    assert became(house, house.event("ann", "offered")) == "submitting"


def test_the_policy_may_hold_for_transactional_messages_and_a_rule_may_ignore_it(house, hour):
    code = RULE.replace("confirm", "code").replace("[booked]", "[asked]\n    ignore_quiet_hours: true")
    furnish(house, "{quiet_categories: [transactional]}", OFFER, code)
    hour.set("16 05:00:00")
    assert became(house, house.event("ann", "booked")) == "waiting quiet_hours"
    assert became(house, house.event("ann", "offered")) == "submitting"
    assert became(house, house.event("ann", "asked")) == "submitting"


def test_a_person_of_whom_nothing_is_known_sleeps_in_the_default_zone(house, hour):
    furnish(house, "{default_zone: Asia/Tokyo}", OFFER)
    hour.set("15 13:00:00")
    unknown = {"phone_number": "+882131234567", **OPTED_IN}
    assert became(house, house.event("eve", "offered", user_properties=unknown)) == "waiting quiet_hours"
    assert "It was 22:00 (Asia/Tokyo)" in reason(house)


def test_when_night_falls_on_many_that_wait_they_are_put_off_together(house, hour):
    slow = TWILIO.replace("messages_per_second: 0", "messages_per_second: 1")
    furnish(house, "{}", OFFER, adaptors=slow)
    hour.set("15 20:59:00")
    house.take(*[{"type": "event", "user": "ann", "name": "offered"}] * 60)
    assert house.states() == {"submitting": 1, "waiting": 59}
    before = house.writer.transactions
    hour.set("15 21:00:00")
    turn(2)  # the lane's turn has come
    house.do(Sweep())
    assert house.rows("SELECT COUNT(*) FROM store_message WHERE reason LIKE 'quiet_hours%'") == [(59,)]
    assert house.writer.transactions <= before + 3
