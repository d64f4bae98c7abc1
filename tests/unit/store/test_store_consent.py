"""Consent: what a user said to a category, and what a number said to a sender; a message needs both, at birth and in the claim."""

from __future__ import annotations

import pytest

from inside import KEYS, RULE, TWILIO, Inside
from oncue.core import clock
from oncue.core.adaptor import Reply, Status
from oncue.core.outcome import Submitted, Suppressed
from oncue.store.jobs import Reports

ANN, SENDER, OTHER = "+15005551001", "+15005550006", "+15005550009"
RULES = (
    KEYS
    + TWILIO
    + "rules:"
    + RULE
    + RULE.replace("confirm", "offer").replace("transactional", "promotional").replace("[booked]", "[offered]")
    + RULE.replace("confirm", "other").replace("[booked]", "[asked]").replace("to:", f'from: "{OTHER}", to:')
)


@pytest.fixture
def house(inside: Inside) -> Inside:
    """With a promotional rule on `offered`, and one that sends from another number on `asked`."""
    inside.apply(RULES)
    inside.run(inside.writer.probe(5))
    inside.take({"type": "user", "user": "ann", "properties": {"phone_number": ANN}})
    return inside


def goes(inside: Inside, name: str) -> str:
    """What becomes of the message of this event: its state, and the reason's first word."""
    one = inside.event("ann", name)
    ((state, reason),) = inside.rows("SELECT state, reason FROM store_message WHERE event = ?", one)
    inside.submit_claimed()
    return f"{state} {reason.partition(':')[0]}".strip()


def consents(inside: Inside) -> list[tuple]:
    return inside.rows("SELECT category, state, source FROM store_consent ORDER BY category")


def test_promotional_needs_an_opt_in_and_transactional_does_not(house):
    assert goes(house, "booked") == "submitting"
    assert goes(house, "offered") == "suppressed no_consent"
    assert house.events("ann")[-2:] == ["offered", "message.suppressed"]
    ((reason,),) = house.rows("SELECT reason FROM store_message WHERE state = 'suppressed'")
    assert "ann has not opted in to promotional messages" in reason


SAY = {
    "a property": lambda said: {"type": "user", "user": "ann", "properties": {"consent_promotional": said}},
    "a property with an event": lambda said: {
        "type": "event", "user": "ann", "name": "clicked", "user_properties": {"consent_promotional": said},
    },
    "an event": lambda said: {
        "type": "event", "user": "ann", "name": f"oncue.opted_{'in' if said else 'out'}", "properties": {"category": "promotional"},
    },
    "an event without category": lambda said: {
        "type": "event", "user": "ann", "name": f"oncue.opted_{'in' if said else 'out'}",
    },
    "the API": lambda said: {
        "type": "consent", "user": "ann", "category": "promotional", "state": f"opted_{'in' if said else 'out'}", "source": "web form",
    },
}  # fmt: skip


@pytest.mark.parametrize("way", SAY)
def test_consent_is_given_and_taken_back_by_a_property_an_event_or_the_api(house, way):
    house.take(SAY[way](True))
    assert goes(house, "offered") == "submitting"
    ((category, state, source),) = consents(house)
    assert (category, state) == ("promotional", "opted_in") and source
    house.take(SAY[way](False))
    assert goes(house, "offered") == "suppressed no_consent" and goes(house, "booked") == "submitting"
    assert [name for name in house.events() if name.startswith("oncue.opted")] == ["oncue.opted_in", "oncue.opted_out"]


def test_an_opt_out_of_transactional_holds_too(house):
    house.take({"type": "consent", "user": "ann", "category": "transactional", "state": "opted_out"})
    assert goes(house, "booked") == "suppressed no_consent"


@pytest.mark.parametrize("first", ["property", "event", "API"])
def test_the_last_word_by_timestamp_wins_whatever_the_order_of_arrival(house, first):
    now, hour = clock.now(), clock.HOUR
    words = {
        "API": {"type": "consent", "user": "ann", "category": "promotional", "state": "opted_in", "timestamp": now - 3 * hour},
        "event": {"type": "event", "user": "ann", "name": "oncue.opted_out", "timestamp": now - hour},
        "property": {
            "type": "event", "user": "ann", "name": "x", "timestamp": now - 2 * hour,
            "user_properties": {"consent_promotional": True},
        },
    }  # fmt: skip
    house.take(words[first])
    for name, word in words.items():
        if name != first:
            house.take(word)
    assert [row[:2] for row in consents(house)] == [("promotional", "opted_out")]
    assert goes(house, "offered") == "suppressed no_consent"


def test_what_is_no_yes_or_no_says_nothing_of_consent(house):
    for value in ("yes", 1, None, "true"):
        house.take({"type": "user", "user": "ann", "properties": {"consent_promotional": value}})
    assert consents(house) == [] and goes(house, "offered") == "suppressed no_consent"


def test_saying_the_same_again_raises_nothing(house):
    for _ in range(3):
        house.take(SAY["the API"](True), SAY["a property"](True))
    assert [name for name in house.events() if name.startswith("oncue.")] == ["oncue.opted_in"]


def reply(word: str, said: str, number: int = 1, scopes: tuple[str, ...] = (SENDER,)) -> Reports:
    one = Reply(
        provider_id=f"SMreply{number}", address=ANN, sender=SENDER, scopes=scopes, body=word, consent=said, properties={}
    )  # fmt: skip
    return Reports("twilio", [one])


def test_stop_stops_both_categories_for_that_sender_only_and_start_lifts_it(house):
    house.take(SAY["the API"](True))
    assert (goes(house, "booked"), goes(house, "asked")) == ("submitting", "submitting")
    house.do(reply("STOP", "opted_out"))
    assert goes(house, "booked") == "suppressed opted_out"
    assert goes(house, "offered") == "suppressed opted_out"
    assert goes(house, "asked") == "submitting"  # from another number: wild bug 12
    assert [name for name in house.events("ann") if name.startswith("twilio.") and name != "twilio.queued"] == [
        "twilio.received",
        "twilio.black_listed_error",
    ]
    house.do(reply("START", "opted_in", 2))
    assert (goes(house, "booked"), goes(house, "offered")) == ("submitting", "submitting")
    assert house.events("ann").count("twilio.opted_in") == 1


def test_stop_to_a_messaging_service_stops_the_service(house):
    service = "MG" + "0" * 32
    house.apply(RULES.replace(f'default_sender: "{SENDER}"', f"default_sender: {service}"))
    house.run(house.writer.probe(5))
    assert goes(house, "booked") == "submitting"
    house.do(reply("STOP", "opted_out", scopes=(SENDER, service)))
    assert goes(house, "booked") == "suppressed opted_out" and goes(house, "asked") == "submitting"


@pytest.mark.parametrize(
    "lifts", [SAY["the API"](True), {"type": "user", "user": "ann", "properties": {"phone_number": ANN}}]
)
def test_nothing_that_an_app_says_lifts_a_stop(house, lifts):
    house.do(reply("STOP", "opted_out"))
    house.take(lifts)
    assert goes(house, "booked") == "suppressed opted_out"


def test_a_reply_told_twice_is_one(house):
    goes(house, "booked")
    house.do(reply("STOP", "opted_out"))
    house.do(reply("START", "opted_in", 2))
    house.do(reply("STOP", "opted_out"))  # the provider repeats itself, late
    assert goes(house, "booked") == "submitting"
    assert house.events().count("twilio.received") == 2


@pytest.mark.parametrize(
    ("users", "owner", "why"),
    [
        (["ann"], "ann", None),
        (["ann", "bob"], "", "several users have this number"),
        ([], "", "no user has this number"),
    ],
)
def test_a_reply_out_of_the_blue_belongs_to_the_one_user_with_that_number_or_to_nobody(inside, users, owner, why):
    for one in users:
        inside.take({"type": "user", "user": one, "properties": {"phone_number": "(500) 555-1001", "country": "US"}})
    inside.do(reply("Hello", ""))
    ((user, properties),) = inside.rows("SELECT user_id, properties FROM store_event WHERE name = 'twilio.received'")
    assert user == owner and (f'"unmatched":"{why}"' in properties) == bool(why)


def test_a_reply_belongs_to_the_user_last_texted_on_that_pair(house):
    house.take({"type": "user", "user": "bob", "properties": {"phone_number": ANN}})
    for one in ("ann", "bob"):
        house.event(one, "booked")
        house.submit_claimed()
    house.event("ann", "asked")  # from another number
    house.submit_claimed()
    house.do(reply("Thanks", ""))
    assert house.rows("SELECT user_id FROM store_event WHERE name = 'twilio.received'") == [("bob",)]


def test_wild_bug_13_the_provider_s_refusal_for_consent_is_an_opt_out(house):
    house.event("ann", "booked")
    house.ended(house.claimed[0].id, Suppressed(reason="Attempt to send to unsubscribed recipient", code="21610"))
    assert house.messages("state, error_code") == [("suppressed", "21610")]
    assert "twilio.black_listed_error" in house.events("ann")
    house.claimed.clear()
    assert goes(house, "booked") == "suppressed opted_out" and goes(house, "asked") == "submitting"


def test_wild_bug_13_and_so_is_a_callback_that_says_so(house):
    house.event("ann", "booked")
    (one,) = house.submit_claimed()
    told = Status(
        message_id=one, provider_id=f"SM{one}", status="undelivered", error_code="30630", opts_out=True,
        recipient=ANN, scopes=(SENDER,), raw={},
    )  # fmt: skip
    house.do(Reports("twilio", [told]))
    house.do(Reports("twilio", [told]))
    assert house.events("ann").count("twilio.black_listed_error") == 1
    assert goes(house, "booked") == "suppressed opted_out"


def test_the_claim_reads_again_what_was_said_while_the_message_waited(house):
    house.take(SAY["the API"](True))
    house.apply(RULES.replace("twilio:\n", "twilio:\n    state: inactive\n"))
    house.run(house.writer.probe(5))
    assert [goes(house, name) for name in ("booked", "offered", "asked")] == ["waiting"] * 3
    house.take(SAY["the API"](False))
    house.do(reply("STOP", "opted_out"))
    house.apply(RULES)
    house.run(house.writer.probe(5))
    assert house.rows("SELECT rule, state FROM store_message ORDER BY seq") == [
        ("confirm", "suppressed"),
        ("offer", "suppressed"),
        ("other", "submitting"),
    ]
    assert house.events("ann").count("message.suppressed") == 2


def test_what_was_accepted_before_stop_is_still_told_about(house):
    house.event("ann", "booked")
    one = house.claimed[0].id
    house.do(reply("STOP", "opted_out"))
    house.ended(one, Submitted(provider_id="SM1", status="queued"))
    assert house.messages("state, carrier_status") == [("accepted", "queued")]
