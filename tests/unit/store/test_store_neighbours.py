"""Neighbours: a crowded sender does not starve another, lanes are forgotten, and one bad row or report holds up nothing else."""

from __future__ import annotations

import pytest

from inside import LOOP, RULE, Inside, turn
from oncue.core.adaptor import Status
from oncue.core.outcome import Submitted
from oncue.store import lanes, report
from oncue.store.jobs import Poisoned, Probe, Reports

OTHER = RULE.replace("confirm", "other").replace("[booked]", "[asked]").replace("to:", 'from: "+15005550009", to:')
ANN = {"phone_number": "+15005551001"}


def test_a_sender_with_a_backlog_does_not_starve_another(inside: Inside):
    inside.apply(LOOP + OTHER)
    inside.take(*[{"type": "event", "user": "ann", "name": "booked", "user_properties": ANN}] * (lanes.SLOTS + 50))
    asked = inside.event("ann", "asked")
    for one in inside.claimed[:3]:
        inside.ended(one.id, Submitted(provider_id=f"SM{one.id}", status="queued"))
    assert inside.rows("SELECT state FROM store_message WHERE event = ?", asked) == [("submitting",)]


def test_lanes_with_nothing_waiting_are_forgotten():
    many = lanes.Lanes()
    for number in range(3 * lanes.MOST_IDLE):
        many.take("webhook", f"webhook host-{number}", 10.0)
        many.release("webhook")
        many.commit()
        turn(1)
    assert len(many._lanes) <= 2 * lanes.MOST_IDLE


def test_a_rule_that_cannot_be_read_fails_nothing_else(inside: Inside, caplog):
    inside.apply(LOOP + OTHER)
    inside.execute("UPDATE store_rule SET spec = '{\"state\": \"of another version\"}' WHERE key = 'other'")
    inside.execute("UPDATE store_setting SET value = value + 1 WHERE name = 'config_version'")
    inside.event("ann", "booked", user_properties=ANN)
    assert inside.states() == {"submitting": 1} and "rule other" in caplog.text


@pytest.mark.faults
def test_a_report_that_cannot_be_taken_holds_polling_up_only_once(inside: Inside, monkeypatch):
    taken = report.take_status

    def fault(unit, adaptor, status):
        if status.status == "poison":
            raise RuntimeError("a bug")
        taken(unit, adaptor, status)

    monkeypatch.setattr(report, "take_status", fault)
    with pytest.raises(Poisoned):
        inside.do(Reports("twilio", [Status(provider_id="SM1", status="poison", raw={})], {"since": 7}))
    assert inside.rows("SELECT poll_cursor FROM store_adaptor WHERE name = 'twilio'") == [('{"since":7}',)]
    inside.do(Probe())
