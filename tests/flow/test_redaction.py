"""What messages say goes after the days that members give, here and at the carrier; everything else of them stays to be seen."""

import sqlite3
from contextlib import closing

import msgspec
import pytest

from house import ANN, RULES, ann, listed
from oncue.testing import wait_for

CANARY = "canary-9b1c"


@pytest.fixture
def aged(start, carrier):
    """A text was sent and answered, long ago; members want texts kept for a day. oncue was stopped since."""
    oncue = start(RULES)
    oncue.post({"type": "event", "user": "ann-id", "name": "booking_confirmed", "properties": {"booking_id": CANARY}, "user_properties": ann()})  # fmt: skip
    oncue.wait_for_event("twilio.delivered")
    carrier.text(ANN, f"thanks for {CANARY}")
    oncue.wait_for_event("twilio.received")
    oncue.stop()
    with closing(sqlite3.connect(oncue.folder / "data" / "oncue.db")) as file, file:
        for table, column in (("message", "created_at"), ("reply", "at")):
            file.execute(f"UPDATE store_{table} SET {column} = {column} - 3 * 86400000")
        file.execute("INSERT INTO store_setting (name, value) VALUES ('retention', '{\"bodies\": 1}')")
    return oncue


def test_a_day_later_neither_we_nor_the_carrier_know_what_was_said(aged, carrier):
    assert CANARY in str(listed(carrier))
    aged.start()
    wait_for(lambda: CANARY not in str(listed(carrier)), 15)
    wait_for(lambda: not aged.query("SELECT 1 FROM store_copy"), 15)
    (message,) = aged.messages()
    assert msgspec.json.decode(message["fields"])["$segments"] == 1
    assert (message["state"], message["carrier_status"], message["recipient"]) == ("accepted", "delivered", ANN)
    assert [one["status"] for one in listed(carrier)] == ["received", "delivered"]
    told = aged.run("explain", message["id"]).stdout
    assert "[redacted on 20" in told and "delivered" in told and "$" not in told
    exported = aged.run("users", "export", "ann-id").stdout
    assert "thanks for" not in exported and "[redacted on 20" in exported


def test_a_crash_before_the_carrier_says_done_costs_a_call_that_is_made_again(aged, carrier):
    carrier.fault("auth")  # it takes no request of ours
    aged.start()
    wait_for(lambda: aged.query("SELECT COUNT(*) FROM store_copy") == [(2,)], 15)
    aged.kill()
    carrier.clear_faults()
    assert CANARY in str(listed(carrier))
    with closing(sqlite3.connect(aged.folder / "data" / "oncue.db")) as file, file:
        file.execute("UPDATE store_copy SET due_at = 0")  # the minute for which the carrier is left alone is over
    aged.start()
    wait_for(lambda: CANARY not in str(listed(carrier)), 15)
