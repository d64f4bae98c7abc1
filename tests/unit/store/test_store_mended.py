"""Faults found by testing the memory, mended: a full disk, an idle look that fails, many stale messages, errors of earlier attempts."""

from __future__ import annotations

import msgspec
import pytest

from inside import LOOP, full_disk, locked, turn
from oncue.core.adaptor import Status
from oncue.core.outcome import Blame, Rejected, Retry, Submitted
from oncue.store import writer
from oncue.store.jobs import Probe, Reports
from oncue.testing import wait_for

ANN = {"phone_number": "+15005551001"}
BIG = {"type": "event", "user": "u", "name": "n", "properties": {"a": "x" * 20_000}}
SLOWLY = LOOP.replace("messages_per_second: 0", "messages_per_second: 0.02")


def status(one: str, word: str, code: str = "") -> Reports:
    return Reports("twilio", [Status(message_id=one, provider_id="SM1", status=word, error_code=code, raw={})])


def test_with_a_full_disk_oncue_is_not_ready(impatient):
    impatient.event("u", "n")
    with full_disk():
        assert impatient.call("GET", "/readyz").status == 503
    impatient.recovers()
    assert impatient.call("GET", "/readyz").status == 200


@pytest.mark.faults
def test_a_checkpoint_that_fails_does_not_end_the_writer(impatient, monkeypatch):
    monkeypatch.setattr(writer, "CHECKPOINT_AFTER", 10**9)
    impatient.take(*[BIG] * 30)
    monkeypatch.setattr(writer, "CHECKPOINT_AFTER", 1)
    with full_disk():
        for _ in range(3):
            assert impatient.post(BIG).status == 503
    impatient.recovers()
    assert impatient.post(BIG).status == 202


@pytest.mark.faults
def test_an_idle_look_that_fails_does_not_end_the_writer(impatient, tmp_path, caplog):
    with locked(impatient):
        assert impatient.post(BIG).status == 503  # its connection is closed now
        impatient.path.rename(tmp_path / "hidden")
        impatient.path.mkdir()  # cannot be opened, as when file handles run out
        wait_for(lambda: "unable to open" in caplog.text, 5)
        impatient.path.rmdir()
        (tmp_path / "hidden").rename(impatient.path)
    impatient.recovers()
    assert impatient.post(BIG).status == 202


def test_a_claim_that_could_not_be_committed_is_made_again(impatient):
    impatient.event("ann", "booked", user_properties=ANN)
    impatient.ended(impatient.claimed.pop().id, Retry("Too many requests", after=60))
    with full_disk():
        turn(100)
        impatient.gather([impatient.writer.do(Probe())])
    impatient.recovers()
    for _ in range(3):
        turn(51)
        impatient.run(impatient.writer.probe(5))
    assert impatient.states() == {"submitting": 1}


def test_many_stale_messages_are_not_the_work_of_one_transaction(inside):
    inside.apply(SLOWLY)
    inside.run(inside.writer.probe(5))
    inside.take(*[{"type": "event", "user": "ann", "name": "booked", "user_properties": ANN}] * 500)
    before = inside.writer.transactions
    turn(5 * 3_600)
    wait_for(lambda: inside.states().get("expired", 0) == 499, 10)
    assert inside.writer.transactions - before >= 20


def test_the_error_of_an_attempt_that_paused_is_gone_once_the_message_is_accepted(inside):
    inside.event("ann", "booked", user_properties=ANN)
    one = inside.claimed.pop().id
    inside.ended(one, Rejected("The token is wrong", blame=Blame.ACCOUNT, code="20003"))
    inside.apply(LOOP.replace("per_second: 0", "per_second: 5"))
    inside.run(inside.writer.probe(5))
    inside.ended(one, Submitted(provider_id="SM1", status="queued"), 2)
    assert inside.messages("state, error_code") == [("accepted", "")]
    inside.do(status(one, "undelivered", "30003"))
    assert inside.messages("carrier_status, error_code") == [("undelivered", "30003")]


def test_an_earlier_status_that_comes_late_does_not_carry_the_error_of_a_later_one(inside):
    inside.event("ann", "booked", user_properties=ANN)
    one = inside.claimed.pop().id
    inside.do(status(one, "undelivered", "30003"))
    inside.do(status(one, "sent"))
    rows = inside.rows("SELECT name, properties FROM store_event WHERE source = 'twilio' ORDER BY seq")
    codes = {name: msgspec.json.decode(properties)["error_code"] for name, properties in rows}
    assert codes == {"twilio.undelivered": "30003", "twilio.sent": ""}


def test_a_callback_for_a_message_that_waits_again_proves_that_it_was_accepted(inside):
    inside.event("ann", "booked", user_properties=ANN)
    one = inside.claimed.pop().id
    inside.ended(one, Retry("connection refused", after=60))
    inside.do(status(one, "delivered"))
    turn(100)
    inside.run(inside.writer.probe(5))
    assert inside.claimed == [] and inside.messages("state, carrier_status") == [("accepted", "delivered")]
