"""What members change about messages and opt-outs: sent again once, through the same checks; opted out and let in again for a reason."""

from __future__ import annotations

import csv

import pytest
from django.db import connection, transaction

from inside import LOOP, TWILIO, Inside, turn
from oncue.core.outcome import Rejected, Submitted
from oncue.rules.document import read_document
from oncue.store import apply as applying
from oncue.store import audit, keys, optouts, reading, resend
from oncue.store.jobs import Edit
from oncue.store.refusal import Refused
from oncue.store.resend import Resend

ANN = {"phone_number": "+15005551001"}
ANNS = "+15005551001"
SENDER = "+15005550006"


@pytest.fixture(autouse=True)
def _closed():
    yield
    connection.close()


def rejected(inside: Inside) -> str:
    """A message that the carrier refused."""
    inside.event("ann", "booked", {"n": 7}, user_properties=ANN)
    one = inside.claimed.pop().id
    inside.ended(one, Rejected("The carrier does not like it.", code="30007"))
    return str(one)


def again(inside: Inside, message: str, number: int | None = None, **more):
    given = {"by": "ann@example.com", "reason": "They asked.", **more}
    number = resend.next_number(message) if number is None else number
    return inside.do(Resend(message=message, number=number, **given))


def refused(inside: Inside, message: str, **more) -> str:
    before = len(inside.messages())
    with pytest.raises(Refused) as caught:
        again(inside, message, **more)
    assert len(inside.messages()) == before
    return str(caught.value)


def test_a_message_that_did_not_arrive_is_sent_again_as_it_was(inside):
    one = rejected(inside)
    copy = again(inside, one)
    (claimed,) = inside.claimed
    assert claimed.id == copy and claimed.fields["body"] == "Booked 7" and claimed.recipient == ANNS
    inside.ended(copy, Submitted(provider_id="SMcopy", status="queued"))
    columns = "user_id, rule, event, recipient, sender, state, carrier_status, error_code, attempts"
    first, second = inside.messages(columns)
    assert second == (*first[:5], "accepted", "queued", "", 1) and first[5] == "rejected"
    assert [row["id"] for row in resend.copies(one)] == [copy]


def test_pressing_twice_sends_once(inside):
    one = rejected(inside)
    number = resend.next_number(one)
    first, second = (again(inside, one, number) for _ in range(2))
    assert first == second and len(inside.claimed) == 1 and len(inside.messages()) == 2
    third = again(inside, one)
    assert third != first and len(inside.messages()) == 3 and resend.next_number(one) == 2
    told = [(entry["verb"], entry["by"], entry["note"]) for entry in audit.page(kind="message", name=one)]
    assert told == [("sent again", "ann@example.com", "They asked.")] * 2


def test_one_that_may_still_arrive_or_did_takes_a_member_who_insists(inside):
    inside.event("ann", "booked", user_properties=ANN)
    one = inside.claimed.pop().id
    assert "being sent at this moment" in refused(inside, one)
    inside.ended(one, Submitted(provider_id="SM1", status="queued"))
    assert "says that it is queued" in refused(inside, one)
    inside.execute("UPDATE store_message SET carrier_status = 'delivered'")
    assert "would get it twice" in refused(inside, one)
    for state, word in (("waiting", "still waiting"), ("unknown", "not known")):
        inside.execute("UPDATE store_message SET state = ?", state)
        assert word in refused(inside, one)
    assert again(inside, one, force=True)
    inside.execute("UPDATE store_message SET state = 'accepted', carrier_status = 'undelivered'")
    assert again(inside, one)


def test_a_reason_is_needed_whatever_is_forced(inside):
    one = rejected(inside)
    assert "Say why" in refused(inside, one, reason="  ", force=True)
    assert "no such message" in refused(inside, "0" * 32)
    assert "that is enough" in refused(inside, one, number=resend.MOST)


def test_an_opt_out_forbids_it_and_a_stopped_rule_does(inside):
    one = rejected(inside)
    inside.do(Edit(lambda: optouts.add(ANNS, SENDER, "ann@example.com", "They rang us.")))
    assert "opted out of messages from" in refused(inside, one, force=True)
    inside.do(Edit(lambda: optouts.lift(ANNS, SENDER, "ann@example.com", "They rang again.")))
    inside.apply(LOOP.replace('state: "on"', 'state: "off"'))
    assert "The rule confirm is off" in refused(inside, one)


def test_it_waits_like_any_other_when_there_is_no_slot(inside):
    one = rejected(inside)
    inside.apply(LOOP.replace("messages_per_second: 0", "messages_per_second: 0.01"))
    inside.event("ann", "booked", user_properties=ANN)
    inside.claimed.clear()
    copy = again(inside, one)
    assert reading.message(copy)["state"] == "waiting" and not inside.claimed
    connection.close()
    turn(250)
    inside.do(Edit(lambda: None))
    assert {claimed.id for claimed in inside.claimed} <= {copy, inside.messages()[1][0]} and inside.claimed


def test_one_that_came_before_its_adaptor_is_made_ready_now_and_one_that_lacks_a_value_is_not(inside):
    inside.execute("DELETE FROM store_adaptor")
    inside.execute("UPDATE store_setting SET value = value + 1 WHERE name = 'config_version'")
    inside.event("ann", "booked", {"n": 1}, user_properties=ANN)
    ((one, state, _),) = inside.messages()
    assert state == "suppressed" and "not configured" in refused(inside, one)
    inside.apply(TWILIO)
    copy = again(inside, one)
    assert [claimed.recipient for claimed in inside.claimed if claimed.id == copy] == [ANNS]
    inside.event("bob", "booked")  # no number
    assert "It would fail again" in refused(inside, inside.messages()[-1][0], force=True)


@pytest.mark.faults
def test_a_refusal_is_no_fault_and_takes_nothing_with_it(inside, caplog):
    """The job before it in the same transaction is kept; the log stays quiet."""
    works = [
        inside.writer.do(Edit(lambda: optouts.add("+353861234567", SENDER, "x", "asked"))),
        inside.writer.do(Edit(lambda: keys.create("", by="x"))),
        inside.writer.do(Edit(lambda: optouts.lift("+1", SENDER, "x", "asked"))),
    ]
    first, second, third = inside.gather(works)
    assert first is True and isinstance(second, keys.Taken) and isinstance(third, Refused)
    assert len(inside.rows("SELECT 1 FROM store_optout")) == 1
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


# Opt-outs.


def test_an_opt_out_by_hand_holds_from_then_on_and_is_lifted_for_a_reason_only(inside):
    inside.do(Edit(lambda: optouts.add("+1 500 555 1001", "+1 (500) 555-0006", "ann@example.com", "They rang.")))
    inside.event("ann", "booked", user_properties=ANN)
    assert inside.messages("state")[-1] == ("suppressed",)
    with pytest.raises(Refused, match="Say why"):
        inside.do(Edit(lambda: optouts.lift(ANNS, SENDER, "ann@example.com", " ")))
    inside.do(Edit(lambda: optouts.lift(ANNS, SENDER, "ann@example.com", "They rang again.")))
    inside.event("ann", "booked")
    assert inside.messages("state")[-1] == ("submitting",)
    (row,) = reading.opt_outs(address=ANNS)
    assert row["source"] == "ann@example.com: They rang." and row["lifted_by"] == "ann@example.com: They rang again."
    told = [(one["verb"], one["note"]) for one in audit.page(kind="opt-out", name=ANNS)]
    assert told == [("lifted", "They rang again."), ("added", "They rang.")]
    with pytest.raises(Refused, match="has not opted out"):
        inside.do(Edit(lambda: optouts.lift(ANNS, SENDER, "ann@example.com", "x")))


def test_only_an_address_and_a_sender_can_be_opted_out(inside):
    for address in ("", "ann", "0861234567", "12", "a@b c"):
        with pytest.raises(Refused, match="no number with its country code"):
            optouts.add(address, SENDER, "x", "y")
    with pytest.raises(Refused, match="from a sender"):
        optouts.add(ANNS, " ", "x", "y")
    assert optouts.add("Ann@Example.com", "news", "x", "y") and not optouts.add("ann@example.com", "news", "x", "z")


FILE = f"""\ufeffaddress,scope,source
+353 86 123 4567,{SENDER},old system
+353861234567,{SENDER},twice
+447700900123,MG0123,"a, b"
nobody,{SENDER},x
+447700900124,,x
"""


def test_a_file_adds_and_says_which_lines_are_wrong(inside):
    entries, faults = optouts.read(FILE)
    assert [(one.address, one.scope, one.source) for one in entries] == [
        ("+353861234567", SENDER, "twice"),
        ("+447700900123", "MG0123", "a, b"),
    ]
    assert [fault.partition(":")[0] for fault in faults] == ["Line 5", "Line 6"]
    with transaction.atomic():
        assert optouts.take_in(entries, "ann@example.com") == 2
        assert optouts.take_in(entries, "ann@example.com") == 0
    assert [entry["verb"] for entry in audit.page()[:1]] == ["imported"]


def test_a_file_lifts_nothing_and_an_export_read_again_changes_nothing(inside):
    with transaction.atomic():
        optouts.add("+353861234567", SENDER, "x", "asked")
        optouts.add("+353861234568", SENDER, "x", "asked")
        optouts.lift("+353861234568", SENDER, "x", "asked again")
        before = reading.opt_outs().rows
        entries, faults = optouts.read("".join(optouts.export()))
        assert not faults and optouts.take_in(entries, "x") == 0
    assert reading.opt_outs().rows == before


def test_a_number_that_was_let_in_again_is_opted_out_by_a_file_that_names_it(inside):
    with transaction.atomic():
        optouts.add(ANNS, SENDER, "x", "asked")
        optouts.lift(ANNS, SENDER, "x", "asked again")
        assert optouts.take_in([optouts.Entry(ANNS, SENDER, "list")], "x") == 1
    (row,) = reading.opt_outs(address=ANNS, state="active")
    assert (row["source"], row["lifted_by"]) == ("list", "")


def test_what_is_no_such_file_is_said(inside):
    assert "must name the columns address and scope" in optouts.read("number\n1\n")[1][0]
    assert "is missing" in optouts.read("")[1][0]
    assert "not CSV" in optouts.read('address,scope\n"+353861234567,x\n')[1][0]


def test_no_cell_of_an_export_is_a_formula(inside, monkeypatch):
    monkeypatch.setattr(optouts, "_BATCH", 2)
    sources = ["=1+1", "+cmd|x", "-2", "@SUM", "\tx", "plain", "+353861234567"]
    with transaction.atomic():
        optouts.take_in([optouts.Entry(f"+35386123456{n}", SENDER, one) for n, one in enumerate(sources)], "x")
    lines = list(csv.DictReader("".join(optouts.export()).splitlines(keepends=True)))
    assert [line["source"] for line in lines] == ["'=1+1", "'+cmd|x", "'-2", "'@SUM", "'\tx", "plain", "+353861234567"]
    assert [line["address"] for line in lines] == [f"+35386123456{n}" for n in range(7)]
    assert all(line["at"].endswith("Z") and line["lifted"] == "" for line in lines)


def test_what_a_file_changed_stands_in_the_audit_trail_and_what_it_would_change_does_not(inside):
    seen = len(audit.page(limit=100))
    inside.apply(LOOP)  # the same file
    assert len(audit.page(limit=100)) == seen
    inside.apply(LOOP.replace("Booking confirmation", "Booked"))
    (entry, *_) = audit.page(kind="rule", name="confirm")
    assert (entry["verb"], entry["by"], entry["note"]) == ("changed", "a test", "by a file")
    assert (entry["before"]["name"], entry["after"]["name"]) == ("Booking confirmation", "Booked")
    inside.apply(TWILIO.replace("twilio:\n", "twilio:\n    state: inactive\n").replace("canary", "another"))
    (entry, *_) = audit.page(kind="adaptor", name="twilio")
    assert entry["verb"] == "deactivated" and "another" not in str(entry)
    document, _ = read_document("rules: []", "rules.yaml", inside.catalogue, {})
    applying.apply(document, inside.catalogue, inside.vault, by="a test", found={}, dry=True)
    assert audit.page(kind="rule", name="confirm")[0]["verb"] == "changed"
