"""Claims: only when a slot is free, the lane's turn has come and nothing forbids it; else the message waits, and stale it expires."""

from __future__ import annotations

import msgspec
import pytest

from inside import LOOP, Inside, locked, turn
from oncue.core import clock
from oncue.core.outcome import Blame, Rejected, Retry, Submitted, Unknown
from oncue.store.jobs import Sweep
from oncue.store.lanes import SLOTS

ANN = {"phone_number": "+15005551001"}
ONE_A_SECOND = LOOP.replace("messages_per_second: 0", "messages_per_second: 1")
SLOWLY = LOOP.replace("messages_per_second: 0", "messages_per_second: 0.02")
TURN = 50.5
"""Seconds after which it is the next one's turn."""
INACTIVE = LOOP.replace("twilio:\n", "twilio:\n    state: inactive\n")


def configure(inside: Inside, text: str) -> None:
    inside.apply(text)
    inside.run(inside.writer.probe(5))


def book(inside: Inside, count: int, name: str = "booked") -> None:
    """So many messages."""
    for start in range(0, count, 1_000):
        inside.take(
            *(
                {"type": "event", "user": "ann", "name": name, "user_properties": ANN, "properties": {"n": n}}
                for n in range(start, min(start + 1_000, count))
            )
        )


def tick(inside: Inside, seconds: float = 0.0) -> int:
    """Time passes; how many are claimed then."""
    before = len(inside.claimed)
    turn(seconds)
    inside.run(inside.writer.probe(5))
    return len(inside.claimed) - before


def test_a_message_is_claimed_in_the_transaction_that_makes_it(inside):
    before = inside.writer.transactions
    book(inside, 1)
    assert inside.writer.transactions == before + 1
    assert inside.messages("state, attempts, boot") == [("submitting", 1, inside.writer.boot)]
    (claimed,) = inside.claimed
    assert (claimed.recipient, claimed.attempt, claimed.fields["body"]) == (ANN["phone_number"], 1, "Booked 0")


def test_what_is_claimed_is_on_disk_before_the_sender_hears_of_it(inside):
    seen = []
    inside.writer._on_claimed = lambda claimed: seen.extend(inside.messages("id, state"))
    book(inside, 1)
    assert [state for _, state in seen] == ["submitting"]


def test_no_more_is_claimed_than_there_are_slots_and_a_result_frees_one(inside):
    book(inside, SLOTS + 10)
    assert inside.states() == {"submitting": SLOTS, "waiting": 10}
    first, second, third = inside.claimed[:3]
    inside.ended(first.id, Submitted(provider_id="SM1", status="queued"))
    inside.ended(second.id, Unknown("timeout"))
    inside.ended(third.id, Rejected("no", code="21211"))
    assert inside.states() == {"submitting": SLOTS, "waiting": 7, "accepted": 1, "unknown": 1, "rejected": 1}
    assert [one.fields["body"] for one in inside.claimed[-3:]] == [f"Booked {SLOTS + n}" for n in range(3)]  # in order


def test_pacing_takes_one_at_a_time_however_many_wait(inside):
    configure(inside, SLOWLY)
    book(inside, 30)
    assert inside.states() == {"submitting": 1, "waiting": 29}
    assert tick(inside) == 0
    assert [tick(inside, TURN) for _ in range(5)] == [1] * 5
    assert tick(inside, 25) == 0 and tick(inside, 26) == 1
    assert tick(inside, 500) == 1  # what was not used is not made up for in a burst


def test_a_new_message_does_not_overtake_those_that_wait(inside):
    configure(inside, SLOWLY)
    book(inside, 3)
    turn(500)
    inside.event("ann", "booked", {"n": "new"})
    assert [one.fields["body"] for one in inside.claimed] == ["Booked 0", "Booked 1"]


def test_transactional_goes_before_promotional(inside):
    offer = LOOP[LOOP.index("\n  - key") :].replace("confirm", "offer").replace("transactional", "promotional")
    configure(inside, SLOWLY + offer.replace("booked", "offered"))
    inside.take({"type": "consent", "user": "ann", "category": "promotional", "state": "opted_in"})
    book(inside, 3, "offered")
    book(inside, 2)
    inside.submit_claimed()
    while tick(inside, TURN):
        pass
    assert inside.rows("SELECT rule FROM store_message WHERE state = 'submitting' ORDER BY updated_at") == [
        ("confirm",), ("confirm",), ("offer",), ("offer",),
    ]  # fmt: skip


def test_a_burst_of_10_000_at_one_a_second_leaves_no_false_unknown(inside):
    began = clock.elapsed()
    configure(inside, ONE_A_SECOND)
    book(inside, 10_000)
    for _ in range(20):
        inside.submit_claimed()
        assert tick(inside, 1.01) == 1
    inside.submit_claimed()
    inside.close()  # a restart in the middle of it
    inside.open()
    for _ in range(3):
        inside.submit_claimed()
        tick(inside, 1.01)
    inside.submit_claimed()
    # Past their send-by time the rest expires, whatever held it; none is unknown.
    accepted = inside.states()["accepted"]
    assert inside.states() == {"accepted": accepted, "waiting": 10_000 - accepted}
    assert 24 <= accepted <= clock.elapsed() - began + 2  # pacing forgotten at a restart errs by one
    turn(4 * 3_600)
    while inside.do(Sweep()):
        pass
    assert inside.states() == {"accepted": accepted, "expired": 10_000 - accepted}
    ((count,),) = inside.rows("SELECT COUNT(*) FROM store_event WHERE name = 'message.expired'")
    assert count == 10_000 - accepted


def test_at_boot_what_was_being_sent_is_unknown_and_nothing_else_changes(inside):
    configure(inside, SLOWLY)
    book(inside, 3)
    inside.submit_claimed()
    tick(inside, TURN)
    assert inside.states() == {"accepted": 1, "submitting": 1, "waiting": 1}
    inside.close()
    inside.claimed.clear()
    inside.open()
    inside.run(inside.writer.probe(5))
    states = [state for (state,) in inside.messages("state")]
    assert states[:2] == ["accepted", "unknown"] and states[2] in ("waiting", "submitting")
    ((reason,),) = inside.rows("SELECT reason FROM store_message WHERE state = 'unknown'")
    assert "whether the provider has it is not known" in reason


def test_what_is_unknown_is_never_claimed_again(inside):
    book(inside, 1)
    inside.ended(inside.claimed[0].id, Unknown("timeout"))
    for _ in range(3):
        assert tick(inside, 3_600) == 0
    inside.do(Sweep())
    assert inside.states() == {"unknown": 1}


def test_a_claim_gone_stale_before_the_call_waits_again_and_is_no_attempt(inside):
    book(inside, 1)
    one = inside.claimed[0].id
    inside.ended(one, None)
    assert tick(inside) in (0, 1)
    assert inside.messages("state, attempts") == [("submitting", 1)]
    assert inside.rows("SELECT COUNT(*) FROM store_attempt") == [(0,)]


def test_a_retry_waits_as_long_as_the_provider_asks(inside):
    book(inside, 1)
    one = inside.claimed[0].id
    inside.ended(one, Retry("Too many requests", after=30, throttled=True))
    assert inside.messages("state, reason") == [("waiting", "Too many requests")]
    assert tick(inside, 25) == 0 and tick(inside, 60) == 1
    inside.ended(one, Submitted(provider_id="SM1", status="queued"), 2)
    assert inside.messages("state, attempts, reason") == [("accepted", 2, "")]
    assert inside.rows("SELECT number, outcome FROM store_attempt ORDER BY seq") == [(1, "Retry"), (2, "Submitted")]


def test_after_429_fewer_calls_are_made_at_a_time(inside):
    book(inside, SLOTS * 2)
    for one in [one.id for one in inside.claimed]:
        inside.ended(one, Retry("Too many requests", after=600, throttled=True))
        if inside.states()["submitting"] < SLOTS // 2:
            break
    assert inside.states()["submitting"] < SLOTS // 2


def test_wild_bug_14_a_stale_message_expires_with_a_reason_and_an_event(inside):
    configure(inside, INACTIVE)
    book(inside, 1)
    assert inside.states() == {"waiting": 1}
    turn(4 * 3_600 - 60)
    assert inside.do(Sweep()) == 0
    turn(120)
    assert inside.do(Sweep()) == 1
    assert inside.messages("state, reason") == [
        ("expired", "too_late: It was still waiting when its send-by time passed.")
    ]
    ((user, properties),) = inside.rows("SELECT user_id, properties FROM store_event WHERE name = 'message.expired'")
    told = msgspec.json.decode(properties)
    assert (user, told["rule"], told["trigger"], told["status"]) == ("ann", "confirm", {"n": 0}, "expired")
    assert "send-by time passed" in told["error_message"]


def test_a_stale_message_expires_in_the_claim_too_and_says_what_held_it(inside):
    book(inside, 1)
    inside.ended(inside.claimed[0].id, Retry("Too many requests", after=5 * 3_600))
    assert tick(inside, 6 * 3_600) == 0
    assert inside.messages("state, reason") == [
        ("expired", "too_late: It was still waiting when its send-by time passed. (Too many requests)")
    ]


def test_a_rule_may_act_on_what_expired(inside):
    fallback = """
  - key: late
    name: Late
    state: "on"
    triggers: [message.expired, message.suppressed]
    actions: [{action: user.update, properties: {missed: "{{ event.rule }}"}}]
"""
    configure(inside, INACTIVE + fallback)
    book(inside, 1)
    turn(5 * 3_600)
    inside.do(Sweep())
    assert inside.user("ann")["missed"] == "confirm"


def test_what_waits_of_a_rule_turned_off_is_canceled(inside):
    configure(inside, SLOWLY)
    book(inside, 3)
    configure(inside, SLOWLY.replace('state: "on"', 'state: "off"'))
    tick(inside, TURN), tick(inside, TURN), tick(inside, TURN)
    assert inside.states() == {"submitting": 1, "canceled": 2}


def test_an_inactive_adaptor_holds_its_messages_and_activating_it_sends_them(inside):
    configure(inside, INACTIVE)
    book(inside, 3)
    assert tick(inside, 60) == 0 and inside.states() == {"waiting": 3}
    configure(inside, LOOP)
    assert inside.states() == {"submitting": 3}


@pytest.mark.parametrize("blame", [Blame.ACCOUNT, Blame.SENDER, Blame.COUNTRY])
def test_a_fault_of_the_account_a_sender_or_a_country_pauses_just_that_and_loses_nothing(inside, blame):
    book(inside, 1)
    inside.ended(inside.claimed.pop().id, Rejected("refused", blame=blame, code="20003"))
    assert inside.states() == {"waiting": 1} and "twilio.failed" not in inside.events()
    key = {Blame.ACCOUNT: "", Blame.SENDER: "+15005550006", Blame.COUNTRY: "US"}[blame]
    assert inside.rows("SELECT adaptor, kind, key FROM store_pause") == [("twilio", blame.value, key)]
    inside.run(inside.writer.probe(5))
    irish = {"type": "event", "user": "eve", "name": "booked", "user_properties": {"phone_number": "+353871234567"}}
    inside.take(irish)
    assert len(inside.claimed) == (blame is Blame.COUNTRY)  # what is not paused goes on
    assert tick(inside, 4 * 60) == 0
    tick(inside, 2 * 60)
    assert inside.states() == {"submitting": 2}


def test_saving_the_adaptor_again_lifts_its_pause(inside):
    book(inside, 1)
    inside.ended(inside.claimed.pop().id, Rejected("refused", blame=Blame.ACCOUNT, code="20003"))
    configure(inside, LOOP)
    assert inside.states() == {"submitting": 1} and inside.rows("SELECT * FROM store_pause") == []


def test_stop_claiming_takes_nothing_new_in_hand(inside):
    book(inside, SLOTS + 1)
    inside.writer.stop_claiming()
    inside.submit_claimed()
    assert inside.states() == {"accepted": SLOTS, "waiting": 1}


def test_wild_bug_10_while_the_store_cannot_be_reached_nothing_is_sent_and_it_shows(impatient):
    """Who opted out cannot be looked up outside the transaction that claims: without the one there is not the other."""
    configure(impatient, SLOWLY)
    book(impatient, 3)
    assert len(impatient.claimed) == 1
    with locked(impatient):
        turn(TURN)  # the next one's turn has come
        answer = impatient.post({"type": "event", "user": "ann", "name": "booked", "user_properties": ANN})
        assert answer.status == 503 and impatient.call("GET", "/readyz").status == 503
        assert len(impatient.claimed) == 1
    impatient.recovers()
    impatient.execute(
        "INSERT INTO store_optout (address, scope, source, at, lifted_by) VALUES ('+15005551001', '+15005550006', 'a test', 1, '')"
    )
    assert tick(impatient, 5) == 0 and impatient.states() == {"submitting": 1, "suppressed": 2}
