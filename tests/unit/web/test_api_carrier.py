"""What the management API does with a provider: the way back, senders, messages looked at first, conversations. The carrier is the simulated one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from house import ANN, RULES
from managing import Managed
from oncue.simulator.defaults import SECOND_LONG_CODE
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for

SENDER = "+15005550006"


@pytest.fixture(scope="module")
def api(_carrier: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    """An oncue that sends by the simulated carrier, whose data all tests of the module share."""
    _carrier.reset()
    _carrier.dial(pace=0)
    environ = {"TWILIO_ACCOUNT_SID": _carrier.account_sid, "TWILIO_AUTH_TOKEN": _carrier.auth_token,
               "TWILIO_URL": _carrier.url, "SMTP_URL": "smtp://127.0.0.1:1"}  # fmt: skip
    oncue = Managed(tmp_path_factory.mktemp("carried"), rules=RULES, environ=environ)
    oncue.apply(RULES, "--no-check")
    oncue.start()
    oncue.make_keys()
    yield oncue
    assert oncue.stop() in (0, -15)
    assert "because of a fault" not in oncue.log(), oncue.log()


@pytest.fixture(scope="module")
def heard(api: Managed, _carrier: Simulator) -> Managed:
    """Where people's messages come, and Ann, who is known, has written."""
    api.done("POST", "/adaptors/twilio/activate", scope="admin")
    api.done("POST", "/adaptors/twilio/inbound", scope="admin")
    api.done("PATCH", "/users/ann", {"properties": {"first_name": "Ann", "phone_number": ANN}})
    for body in ("Thanks!", "please leave me alone"):
        _carrier.text(ANN, body, SENDER)
    wait_for(lambda: len(api.get("/replies")["items"]) == 2, 10)
    return api


def test_it_is_checked_that_calls_come_back(api):
    way = api.done("POST", "/adaptors/twilio/callback-check")
    assert way["arrived"] and way["steps"][-1]["tone"] == "good"
    assert "believed its signature" in " ".join(one["sentence"] for one in way["steps"])
    assert api.get("/adaptors/twilio")["calls"]["can_check"]
    refused = api.ask("POST", "/adaptors/email/callback-check", scope="write")
    assert (refused.status, refused.detail) == (409, "Email makes no calls that could be checked.")
    assert api.ask("POST", "/adaptors/twilio/callback-check", scope="read").status == 403
    assert api.ask("POST", "/adaptors/fax/callback-check", scope="write").status == 404


def test_peoples_messages_are_sent_here(api):
    api.done("POST", "/adaptors/twilio/activate", scope="admin")
    pointed = api.done("POST", "/adaptors/twilio/inbound", scope="admin")
    calls = pointed["calls"]
    assert {"name": "message", "url": f"{api.url}/hooks/twilio/message"} in calls["urls"]
    assert {one["goes"] for one in calls["senders"]} == {"here"} and not calls["can_point"]
    assert pointed == api.get("/adaptors/twilio")
    refused = api.ask("POST", "/adaptors/email/inbound")
    assert (refused.status, refused.detail) == (409, "Email takes no messages from people.")
    assert api.ask("POST", "/adaptors/twilio/inbound", scope="write").status == 403
    assert api.ask("POST", "/adaptors/webhook/inbound").status == 409


def test_a_provider_that_refuses_is_a_sentence(api, _carrier):
    config = api.get("/adaptors/twilio")["config"]
    wrong = {"config": {**config, "auth_token": "not-the-token"}, "active": False}
    api.done("PUT", "/adaptors/twilio", wrong, scope="admin")
    refused = api.ask("POST", "/adaptors/twilio/inbound")
    assert refused.status == 422 and "not-the-token" not in refused.detail
    assert refused.errors == {"": refused.detail}
    right = {"config": {**config, "auth_token": _carrier.auth_token}}
    assert api.done("PUT", "/adaptors/twilio", right, scope="admin")["state"] == "active"


def test_senders_and_actions_are_there_to_pick_from(heard):
    senders = {one["name"]: one["adaptor"] for one in heard.get("/senders")["items"]}
    assert senders[SENDER] == senders[SECOND_LONG_CODE] == "twilio"
    actions = {one["action"]: one for one in heard.get("/actions")["items"]}
    text = actions["twilio.send_message"]
    assert (text["is_ready"], text["is_message"], text["by_hand"]) == (True, True, True)
    assert SENDER in text["senders"]["from"]
    assert {"to", "body", "from"} <= {one["name"] for one in text["fields"]}
    assert actions["user.update"]["by_hand"] is False and actions["webhook.request"]["is_ready"] is False
    raised = {one["name"] for one in heard.get("/adaptors/twilio")["events"]}
    assert "twilio.delivered" in raised


def test_it_is_said_how_sure_oncue_is(api):
    sure = {"in_doubt": 0, "found": 0, "sent_again": 0, "healed": 0, "lag": 0}
    assert api.get("/adaptors/twilio")["certainty"] == sure
    assert api.get("/adaptors/email")["certainty"] is None, "a mail server cannot be asked"


def test_a_message_is_looked_at_before_it_is_sent(heard):
    body = {"action": "twilio.send_message", "fields": {"to": ANN, "body": "Très bien — “on time”"}}
    seen = heard.done("POST", "/message-previews", body, scope="read")
    assert (seen["recipient"], seen["sender"]) == (ANN, SENDER)
    assert (seen["preview"]["text"], seen["preview"]["segments"]) == ("Très bien — “on time”", 1)
    assert any("UCS-2" in one["value"] for one in seen["preview"]["facts"]), seen
    assert heard.get(f"/messages?recipient={ANN.replace('+', '%2B')}")["items"] == [], "nothing is kept"
    assert heard.ask("POST", "/message-previews", {**body, "fields": {"to": "12", "body": "x"}}).errors.keys() == {
        "fields.to"
    }
    assert heard.ask("POST", "/message-previews", {**body, "action": "webhook.request"}).status == 409
    assert heard.ask("POST", "/message-previews", {**body, "action": "fax.send"}).errors.keys() == {"action"}


def test_a_message_says_where_it_stands_and_what_its_error_means(heard, _carrier):
    _carrier.fault("undelivered", code=30003, times=1)
    body = {"action": "twilio.send_message", "fields": {"to": "+15005551002", "body": "Hello"}}
    made = heard.done("POST", "/messages", body, status=201)
    wait_for(lambda: heard.get(f"/messages/{made['id']}")["messages"][0]["message"]["error_code"] == "30003", 10)
    told = heard.get(f"/messages/{made['id']}")["messages"][0]["message"]
    assert told["country"] == "US"
    assert told["standing"].startswith("The carrier could not deliver it. Error 30003: ")


def test_a_conversation_is_read_and_put_aside(heard):
    (ann,) = heard.get("/conversations?show=flagged")["items"]
    assert (ann["address"], ann["body"], ann["flag"]) == (ANN, "please leave me alone", "maybe_opt_out")
    place = f"/conversations/{ANN.replace('+', '%2B')}"
    talk = heard.get(place)
    assert (talk["user"], talk["open"], talk["flagged"], talk["cannot_answer"]) == ("ann", 2, True, "")
    assert [(one["kind"], one["reply"]["body"]) for one in talk["items"]] == [
        ("reply", "Thanks!"),
        ("reply", "please leave me alone"),
    ]
    answered = heard.done("POST", f"/replies/{talk['newest']['id']}/answer", {"body": "Sorry!"}, status=201)
    wait_for(lambda: heard.get(place)["items"][-1]["kind"] == "message", 10)
    assert heard.get(place)["items"][-1]["message"]["id"] == answered["id"]
    assert heard.done("POST", f"{place}/handle") == {"handled": 2}
    assert heard.done("POST", f"{place}/handle") == {"handled": 0}
    assert heard.get("/conversations?show=open")["items"] == []
    assert [one["address"] for one in heard.get("/conversations")["items"]] == [ANN]
    nobody = heard.ask("GET", "/conversations/%2B15005559999")
    assert (nobody.status, nobody.detail) == (404, "There is no reply from +15005559999.")
    assert heard.ask("POST", f"{place}/handle", scope="read").status == 403


def test_somebody_who_meant_it_is_opted_out(heard):
    place = f"/conversations/{ANN.replace('+', '%2B')}"
    assert heard.ask("POST", f"{place}/opt-out", {"reason": " "}, scope="write").errors == {
        "reason": "Say why; the reason is kept."
    }
    heard.done("POST", f"{place}/opt-out", {"reason": "they wrote: leave me alone"})
    talk = heard.get(place)
    assert [(one["scope"], one["source"]) for one in talk["opt_outs"]] == [
        (SENDER, "key write-key: they wrote: leave me alone")
    ]
    assert talk["open"] == 0
    assert heard.ask("POST", "/conversations/%2B15005559999/opt-out", {"reason": "x"}).status == 404


def test_what_is_known_of_an_event_name_names_its_rules(heard):
    heard.event("ann", "booking_confirmed", {"booking_id": "17"})
    found = heard.get("/event-names/booking_confirmed")
    rules = [{"key": "booking-confirmation", "name": "Booking confirmation", "state": "on"}]
    assert found["rules"] == rules and found["sentence"] == ""
    assert len(found["hours"]) == 168 and found["hours"][-1] + found["hours"][-2] == 1
    assert heard.get("/event-names/twilio.undelivered")["sentence"]
    listed = {one["name"]: one["rules"] for one in heard.get("/event-names")["items"]}
    assert listed["booking_confirmed"] == rules
