"""Under siege: rows that cannot be read, rules that set each other off, reports out of order. Nobody else is harmed, and nobody is texted."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from django.db import DatabaseError, OperationalError, connection

from inside import LOOP, RULE, Inside, turn
from oncue.adaptors.twilio import prepare as twilio_prepare
from oncue.core import clock, ids
from oncue.core.adaptor import Reply, Status
from oncue.core.items import StoreUnavailable
from oncue.core.outcome import Retry
from oncue.store import claims, config, facts
from oncue.store.jobs import Probe, Reports, Sweep
from oncue.store.unit import Unit
from oncue.testing import wait_for

ANN, SENDER = "+15005551001", "+15005550006"
PROPERTIES = {"phone_number": ANN}
OFFER = RULE.replace("confirm", "offer").replace("transactional", "promotional").replace("[booked]", "[offered]")


def waiting(inside: Inside, user: str = "ann") -> str:
    """A message that waits for a minute."""
    inside.event(user, "booked", user_properties=PROPERTIES)
    one = inside.claimed.pop().id
    inside.ended(one, Retry("Too many requests", after=60))
    return one


def soon(inside: Inside, *jobs):
    """The jobs in one transaction, which must end."""

    async def all_of_them():
        async with asyncio.timeout(5):
            return await asyncio.gather(*(inside.writer.do(job) for job in jobs))

    return inside.run(all_of_them())


@pytest.mark.faults
@pytest.mark.parametrize(
    ("column", "value"),
    [("scopes", "'['"), ("fields", "'['"), ("fields", "x'ff'"), ("attempts", "'x'"), ("send_by", "'x'")],
)
def test_a_waiting_message_that_cannot_be_read_harms_nobody_else(inside, column, value):
    poisoned, sound = waiting(inside), waiting(inside, "bob")
    inside.execute(f"UPDATE store_message SET {column} = {value} WHERE id = ?", poisoned)
    turn(100)
    inside.event("cyd", "booked", user_properties=PROPERTIES)
    wait_for(lambda: len(inside.claimed) == 2, 5)
    assert sound in {one.id for one in inside.claimed}
    assert dict(inside.rows("SELECT id, state FROM store_message"))[poisoned] == "rejected"


SAID_NO = {
    "consent": "INSERT INTO store_consent (user_id, category, state, source, at) VALUES ('ann', 'transactional', 'opted_out', 'x', 1)",
    "optout": f"INSERT INTO store_optout (address, scope, source, at, lifted_at, lifted_by) VALUES ('{ANN}', '{SENDER}', 'x', 1, NULL, '')",
}


@pytest.mark.faults
@pytest.mark.parametrize(
    ("ledger", "damage"),
    [("consent", "state = x'ff'"), ("consent", "category = x'ff'"), ("optout", "scope = x'ff'"), ("optout", "lifted_at = x''")],
)  # fmt: skip
def test_what_somebody_said_of_being_texted_holds_even_if_it_cannot_be_read(inside: Inside, ledger: str, damage: str):
    inside.execute(SAID_NO[ledger])
    inside.execute(f"UPDATE store_{ledger} SET {damage}")
    asked = inside.post({"type": "event", "user": "ann", "name": "booked", "user_properties": PROPERTIES})
    assert asked.status == 500 and not inside.claimed and not inside.states()
    inside.event("bob", "booked", user_properties={"phone_number": "+15005551002"})
    assert len(inside.claimed) == 1, "whoever said nothing is texted"


@pytest.mark.faults
def test_a_message_that_cannot_be_read_harms_nothing_that_is_read_with_it(inside: Inside):
    poisoned, sound = waiting(inside), waiting(inside, "bob")
    inside.execute("UPDATE store_message SET fields = x'ff' WHERE id = ?", poisoned)
    reports = [
        Status(provider_id=f"SM{n}", status="sent", raw={}, message_id=one) for n, one in enumerate((poisoned, sound))
    ]
    soon(inside, Reports("twilio", reports))
    assert dict(inside.rows("SELECT id, carrier_status FROM store_message"))[sound] == "sent"


@pytest.mark.faults
def test_a_configuration_that_was_read_but_not_committed_is_read_again(inside: Inside, monkeypatch):
    """In the transaction that failed it had a number which another one has now."""
    committed = config.version()

    def look() -> int:
        """A clock that leapt changes the configuration, too."""
        if connection.in_atomic_block:
            config.raise_version()
        return 0

    def full(unit):
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(inside.writer._jumps, "look", look)
        patch.setattr(Unit, "flush", full)
        with pytest.raises(StoreUnavailable):
            soon(inside, Probe())
        inside.apply("rules:" + RULE.replace('state: "on"', 'state: "off"'))
        assert config.version() == committed + 1
    inside.recovers()
    inside.event("ann", "booked", user_properties=PROPERTIES)
    assert not inside.claimed, "the rule is off"


@pytest.mark.faults
@pytest.mark.parametrize("jobs", [0, 3])
def test_a_fault_while_claiming_what_waits_ends_neither_the_writer_nor_its_jobs(inside, monkeypatch, jobs):
    waiting(inside)
    turn(100)

    def fault(unit, lanes):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(claims, "claim_waiting", fault)
        soon(inside, Probe())
        for _ in range(jobs):
            inside.event("u", "n")
    turn(100)
    wait_for(lambda: inside.states() == {"submitting": 1}, 5)


@pytest.mark.faults
def test_a_fault_in_preparing_one_message_harms_nobody_else(inside, monkeypatch):
    prepare = twilio_prepare.numbers.read

    def fault(text, user):
        if text.endswith("666"):
            raise RuntimeError("a bug")
        return prepare(text, user)

    monkeypatch.setattr(twilio_prepare.numbers, "read", fault)
    inside.event("bad", "booked", user_properties={"phone_number": "+15005550666"})
    inside.event("ann", "booked", user_properties=PROPERTIES)
    assert [state for _, state, _ in inside.messages()] == ["rejected", "submitting"]
    assert inside.events("bad") == ["booked", "twilio.failed"]


FLIP = """
  - key: {0}
    name: Flip
    state: "on"
    category: transactional
    triggers: [{1}]
    actions: [{{action: user.update, properties: {{consent_promotional: {2}}}}}]
"""


def test_rules_that_change_consent_back_and_forth_are_cut(inside):
    inside.apply(LOOP + FLIP.format("in", "oncue.opted_out", "true") + FLIP.format("out", "oncue.opted_in", "false"))
    said = b'{"type": "user", "user": "ann", "properties": {"consent_promotional": true}}'
    assert inside.run(asyncio.wait_for(inside.calling("POST", "/v1/events", said), 5)).status == 202
    assert "rule.chain_cut" in inside.events("ann")


def test_an_opt_in_from_the_future_does_not_outlive_the_opt_out_that_follows(inside):
    inside.apply(LOOP + OFFER)
    later = clock.iso(clock.now() + 12 * clock.HOUR)
    inside.event("ann", "n", user_properties={**PROPERTIES, "consent_promotional": True}, timestamp=later)
    inside.event("ann", "oncue.opted_in", {"category": "promotional"}, timestamp=later)
    turn(1)
    inside.take({"type": "user", "user": "ann", "properties": {"consent_promotional": False}})
    inside.event("ann", "offered")
    assert [state for _, state, _ in inside.messages()] == ["suppressed"]


def reply(body: str, consent: str, at: int) -> Reply:
    return Reply(
        provider_id=ids.new(), address=ANN, sender=SENDER, scopes=(SENDER,), body=body, consent=consent,
        properties={"body": body}, received_at=at,
    )  # fmt: skip


def test_a_start_written_before_the_stop_but_heard_after_it_lifts_nothing(inside):
    now = clock.now()
    inside.do(Reports("twilio", [reply("STOP", "opted_out", now - 5_000)]))
    inside.do(Reports("twilio", [reply("START", "opted_in", now - 60_000)]))
    inside.event("ann", "booked", user_properties=PROPERTIES)
    assert [state for _, state, _ in inside.messages()] == ["suppressed"]
    inside.do(Reports("twilio", [reply("START", "opted_in", now)]))
    inside.event("ann", "booked")
    assert [state for _, state, _ in inside.messages()] == ["suppressed", "submitting"]


def test_a_refusal_for_consent_told_again_after_start_opts_nobody_out_again(inside):
    inside.event("ann", "booked", user_properties=PROPERTIES)
    one = inside.submit_claimed()[0]
    refused = Status(
        message_id=one, provider_id=f"SM{one}", status="undelivered", error_code="30630", recipient=ANN, opts_out=True,
        scopes=(SENDER,), raw={},
    )  # fmt: skip
    inside.do(Reports("twilio", [refused]))
    inside.event("ann", "booked")
    inside.do(Reports("twilio", [reply("START", "opted_in", 0)]))
    inside.do(Reports("twilio", [refused]))
    inside.event("ann", "booked")
    assert [state for _, state, _ in inside.messages()] == ["accepted", "suppressed", "submitting"]


def test_a_callback_in_the_transaction_that_lets_a_message_expire_is_not_forgotten(inside):
    one = waiting(inside)
    turn(5 * 3_600)
    proof = Status(message_id=one, provider_id="SM1", status="sent", first_status="queued", raw={})
    soon(inside, Reports("twilio", [proof]), Sweep())
    assert inside.messages("state, provider_id, carrier_status") == [("accepted", "SM1", "sent")]
    inside.do(Reports("twilio", [proof]))


def test_what_nobody_in_particular_says_of_consent_opts_in_nobody(inside):
    join = FLIP.format("join", "twilio.received", "true")
    promote = OFFER.replace("[offered]", "[twilio.received]").replace("user.phone_number", "event.from")
    inside.apply(LOOP + join + promote)
    for number in ("+15005551007", "+15005551008"):
        one = reply("JOIN", "", 0)
        inside.do(Reports("twilio", [Reply(
            provider_id=one.provider_id, address=number, sender=SENDER, scopes=(SENDER,), body="JOIN",
            properties={"from": number},
        )]))  # fmt: skip
    assert {state for _, state, _ in inside.messages()} == {"suppressed"}


def test_one_event_may_change_consent_more_than_twice(inside):
    flips = [FLIP.format(f"flip-{n}", "booked", "true" if n % 2 else "false") for n in range(4)]
    inside.apply(LOOP + "".join(flips))
    inside.event("ann", "booked", user_properties={**PROPERTIES, "consent_promotional": True})
    assert inside.events("ann").count("oncue.opted_in") == 3


def test_a_message_of_an_adaptor_no_longer_installed_expires_too(inside):
    one, other = waiting(inside), waiting(inside, "bob")
    inside.execute("UPDATE store_message SET adaptor = 'gone', lane = 'gone' WHERE id = ?", one)
    turn(5 * 3_600)
    inside.do(Sweep())
    assert dict(inside.rows("SELECT id, state FROM store_message")) == {one: "expired", other: "expired"}


def test_when_the_database_is_at_fault_nothing_is_read_in_another_way(inside, monkeypatch):
    """SQLite may have ended the transaction by then: whatever was written afterwards would stand alone."""
    at_fault = sqlite3.OperationalError("disk I/O error")
    at_fault.sqlite_errorcode = sqlite3.SQLITE_IOERR

    def fail(*given, **more):
        raise DatabaseError("disk I/O error") from at_fault

    monkeypatch.setattr(facts, "read", fail)
    with pytest.raises(DatabaseError):
        facts.read_messages("state = 'waiting'")
