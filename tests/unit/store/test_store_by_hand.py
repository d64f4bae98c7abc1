"""A message written by hand is checked like any other, made once, and belongs to whoever has the number."""

from __future__ import annotations

import msgspec
import pytest

from inside import KEYS, TWILIO, Inside, turn
from oncue.core import ids
from oncue.core.adaptor import Reply
from oncue.store.by_hand import EVENT, Compose
from oncue.store.explain import explain
from oncue.store.jobs import Reports

ANN, SENDER = "+12125551234", "+15005550006"


def compose(form: str = "", **more: str) -> Compose:
    return Compose(
        form=form or ids.new(),
        by="editor@example.com",
        action="twilio.send_message",
        fields={"to": ANN, "body": "This is a test.", **more},
        address=ANN,
    )


def reply(body: str, consent: str = "") -> Reports:
    said = Reply(
        provider_id=ids.new(), address=ANN, sender=SENDER, scopes=(SENDER,), body=body, consent=consent, properties={}
    )
    return Reports("twilio", (said,))


def test_it_is_sent_and_can_be_explained(inside: Inside):
    message = inside.do(compose())
    assert [(one.id, one.fields["body"]) for one in inside.claimed] == [(message, "This is a test.")]
    inside.submit_claimed()
    assert inside.messages("id, rule, user_id, state") == [(message, "", "", "accepted")]
    found = explain(message)
    assert found is not None
    assert (found.event["name"], found.event["properties"]["by"]) == (EVENT, "editor@example.com")
    assert inside.events() == [EVENT, "twilio.queued"]


def test_the_same_form_makes_one_message_even_at_once(inside: Inside):
    form = ids.new()
    first = inside.gather([inside.writer.do(compose(form)), inside.writer.do(compose(form))])
    again = inside.do(compose(form))
    assert first == [again, again]
    assert len(inside.messages()) == 1 and len(inside.claimed) == 1
    assert inside.events() == [EVENT]


def test_an_opt_out_holds_for_it(inside: Inside):
    inside.do(reply("STOP", "opted_out"))
    inside.do(compose())
    ((_, state, reason),) = inside.messages()
    assert state == "suppressed" and "opted out" in reason
    assert inside.claimed == []


def test_it_belongs_to_the_one_user_with_the_number_and_so_does_the_answer(inside: Inside):
    inside.take({"type": "user", "user": "ann", "properties": {"phone_number": ANN}})
    inside.do(compose())
    inside.submit_claimed()
    inside.do(reply("hello"))
    assert inside.rows("SELECT user_id FROM store_message") == [("ann",)]
    assert inside.rows("SELECT user_id FROM store_event WHERE name = 'twilio.received'") == [("ann",)]


def test_a_test_does_not_take_a_conversation_away(inside: Inside):
    """Two users have the number, and Bob was texted last: whoever tries the adaptor there has his answers stay his."""
    for user in ("ann", "bob"):
        inside.take({"type": "user", "user": user, "properties": {"phone_number": ANN}})
    inside.event("bob", "booked")
    inside.submit_claimed()
    inside.do(compose())
    inside.submit_claimed()
    inside.do(reply("thanks"))
    assert inside.rows("SELECT user_id FROM store_event WHERE name = 'twilio.received'") == [("bob",)]


def test_one_that_waits_is_sent_when_its_adaptor_is_active_again(inside: Inside):
    """No rule was turned off, since there is none."""
    inside.apply(KEYS + TWILIO + "    state: inactive\n")
    inside.do(compose())
    assert (inside.states(), inside.claimed) == ({"waiting": 1}, [])
    inside.apply(KEYS + TWILIO)
    turn(1)
    inside.do(reply("hello"))
    assert len(inside.claimed) == 1


@pytest.mark.parametrize("name", ["oncue.composed"])
def test_no_rule_is_triggered_by_it(inside: Inside, name: str):
    assert name == EVENT
    inside.do(compose())
    assert inside.rows("SELECT COUNT(*) FROM store_decision") == [(0,)]
    assert (
        msgspec.json.decode(inside.rows("SELECT properties FROM store_event")[0][0])["action"] == "twilio.send_message"
    )
