"""Never after STOP: what a person says holds, for the sender they said it to, until they say otherwise."""

import pytest

from house import ANN, RULES, ann
from oncue.simulator import defaults

NEWS = """
  - key: news
    name: News
    state: "on"
    category: promotional
    triggers: [news_published]
    actions:
      - {action: twilio.send_message, body: "News for {{ user.first_name }}", to: "{{ user.phone_number }}"}
"""
BY_SERVICE = RULES.replace('default_sender: "+15005550006"', f"default_sender: {defaults.SERVICE_SID}")


def test_stop_is_kept_suppresses_the_next_and_start_lifts_it(start, carrier):
    oncue = start()
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    carrier.text(ANN, " Stop ")
    (said,) = oncue.wait_for_event("twilio.black_listed_error")
    assert (said["from"], said["to"], said["rule"]) == (ANN, "+15005550006", "booking-confirmation")
    assert oncue.query("SELECT user_id FROM store_event WHERE name = 'twilio.black_listed_error'") == [("ann",)]
    oncue.event("ann", "booking_confirmed", {"booking_id": 2})
    (suppressed,) = oncue.wait_for_event("message.suppressed")
    assert "opted out of messages from +15005550006" in suppressed["error_message"]
    (ledger,) = oncue.json("opt-outs")
    assert (ledger["address"], ledger["scope"], ledger["lifted_at"]) == (ANN, "+15005550006", None)
    carrier.text(ANN, "START")
    oncue.wait_for_event("twilio.opted_in")
    (lifted,) = oncue.json("opt-outs")
    assert (lifted["source"], lifted["at"]) == (ledger["source"], ledger["at"]) and lifted["lifted_at"]
    oncue.event("ann", "booking_confirmed", {"booking_id": 3})
    oncue.wait_for_event("twilio.delivered", 2)
    bodies = [text["body"] for text in carrier.phone(ANN) if "booking" in text["body"]]
    assert bodies == ["Hi Ann, booking 1 is confirmed.", "Hi Ann, booking 3 is confirmed."]
    assert carrier.state(counts=True)["requests"] == 2, "the suppressed one was never posted"


def test_stop_to_one_number_leaves_the_other_alone(start, carrier):
    oncue = start(RULES.replace('to: "{{ user.phone_number }}"', 'to: "{{ user.phone_number }}"\n        from: "{{ event.from }}"', 1))  # fmt: skip
    first, second = defaults.LONG_CODE, defaults.TOLL_FREE
    oncue.event("ann", "booking_confirmed", {"booking_id": 1, "from": first}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    carrier.text(ANN, "STOP", to=first)
    oncue.wait_for_event("twilio.black_listed_error")
    oncue.event("ann", "booking_confirmed", {"booking_id": 2, "from": second})
    oncue.wait_for_event("twilio.delivered", 2)
    oncue.event("ann", "booking_confirmed", {"booking_id": 3, "from": first})
    oncue.wait_for_event("message.suppressed")


def test_stop_to_a_service_covers_its_whole_pool(start, carrier):
    oncue = start(BY_SERVICE)
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    (delivered,) = oncue.wait_for_event("twilio.delivered")
    assert delivered["from"] in defaults.POOL
    assert oncue.event_names("ann")[1:] == ["twilio.accepted", "twilio.queued", "twilio.sent", "twilio.delivered"]
    carrier.text(ANN, "UNSUBSCRIBE", to=delivered["from"])
    oncue.wait_for_event("twilio.black_listed_error")
    oncue.event("ann", "booking_confirmed", {"booking_id": 2})
    (suppressed,) = oncue.wait_for_event("message.suppressed")
    assert defaults.SERVICE_SID in suppressed["error_message"]


def test_a_refusal_for_consent_at_the_carrier_opts_the_number_out(start, carrier):
    carrier.fault("refuse", to=ANN, code=21610, times=1)
    oncue = start()
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.wait_for_event("twilio.black_listed_error")
    oncue.event("ann", "booking_confirmed", {"booking_id": 2})
    oncue.wait_for_event("message.suppressed", 2)
    assert carrier.state(counts=True)["requests"] == 1


def test_an_asynchronous_refusal_for_consent_does_too(start, carrier):
    carrier.fault("undelivered", to=ANN, code=30630, times=1)
    oncue = start()
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.wait_for_event("twilio.black_listed_error")
    oncue.event("ann", "booking_confirmed", {"booking_id": 2})
    oncue.wait_for_event("message.suppressed")


def test_an_import_does_not_bring_an_opted_out_number_back(start, carrier, tmp_path):
    oncue = start()
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    carrier.text(ANN, "STOP")
    oncue.wait_for_event("twilio.black_listed_error")
    people = tmp_path / "people.csv"
    people.write_text(f"user,phone_number,consent_transactional,consent_promotional\nann,{ANN},true,true\n")
    done = oncue.run("users", "import", str(people))
    assert done.returncode == 0, done.stderr
    oncue.event("ann", "booking_confirmed", {"booking_id": 2})
    oncue.wait_for_event("message.suppressed")


@pytest.mark.parametrize(
    "say",
    [
        {"type": "user", "user": "ann", "properties": {"consent_promotional": True}},
        {"type": "event", "user": "ann", "name": "oncue.opted_in", "properties": {"category": "promotional", "source": "checkout"}},
        {"type": "consent", "user": "ann", "category": "promotional", "state": "opted_in", "source": "checkout"},
    ],
    ids=["property", "event", "api"],
)  # fmt: skip
def test_a_promotional_rule_texts_only_those_who_opted_in(start, carrier, say):
    oncue = start(RULES + NEWS)
    oncue.post({"type": "user", "user": "ann", "properties": ann()})
    oncue.event("ann", "news_published")
    (refused,) = oncue.wait_for_event("message.suppressed")
    assert "has not opted in to promotional messages" in refused["error_message"]
    oncue.post(say)
    oncue.event("ann", "news_published")
    oncue.wait_for_event("twilio.delivered")
    (consent,) = oncue.json("users", "show", "ann")["consents"]
    assert (consent["category"], consent["state"]) == ("promotional", "opted_in")
    assert consent["source"] and consent["at"]
    oncue.post({"type": "consent", "user": "ann", "category": "promotional", "state": "opted_out"})
    oncue.event("ann", "news_published")
    oncue.wait_for_event("message.suppressed", 2)
    oncue.event("ann", "booking_confirmed", {"booking_id": 1})
    oncue.wait_for_event("twilio.delivered", 2)


def test_a_reply_of_help_opts_nobody_out(start, carrier):
    oncue = start()
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    for body in ("HELP", "please stop by at 5"):
        carrier.text(ANN, body)
    replies = oncue.wait_for_event("twilio.received", 2)
    assert [one["consent"] for one in replies] == ["help", ""]
    assert oncue.json("opt-outs") == []


def test_a_stop_that_comes_while_a_message_waits_holds(start, carrier):
    oncue = start(RULES.replace("messages_per_second: 0", "messages_per_second: 0.4"))
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.event("ann", "booking_confirmed", {"booking_id": 2})
    oncue.wait_for_messages(1, "state = 'waiting'")
    carrier.text(ANN, "Opt out")
    oncue.wait_for_event("message.suppressed")
    assert carrier.state(counts=True)["requests"] == 1


def test_a_stop_that_came_while_oncue_was_away_is_heard_before_anything_is_sent(start, carrier):
    oncue = start(RULES.replace("messages_per_second: 0", "messages_per_second: 0.2"), public=False)
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.event("ann", "booking_confirmed", {"booking_id": 2})
    oncue.wait_for_messages(1, "state = 'accepted'")
    oncue.stop()
    carrier.text(ANN, "STOP")
    oncue.start()
    oncue.wait_for_event("message.suppressed")
    (suppressed,) = oncue.messages("state = 'suppressed'")
    assert suppressed["attempts"] == 0, "not even the carrier was asked"
