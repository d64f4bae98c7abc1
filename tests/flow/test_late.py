"""Callbacks that stay away: oncue asks, and what it hears raises the same events as a callback would."""

import pytest

from fault_hooks import GRACE
from house import RULES, ann
from oncue.core import clock

QUICK = {GRACE: "0.5"}


def booking(n: int) -> dict:
    who = {**ann(), "phone_number": f"+1617555{n:04d}"}
    return {"type": "event", "user": f"u{n}", "name": "booking_confirmed", "id": f"b{n}", "properties": {"booking_id": n}, "user_properties": who}  # fmt: skip


@pytest.mark.parametrize("count", [3, 150])
def test_a_status_whose_callback_was_lost_is_asked_after_and_triggers_its_rule(start, carrier, count):
    carrier.fault("callback_lost")
    carrier.fault("undelivered", code=30003)
    oncue = start(RULES, **QUICK)
    oncue.post(*map(booking, range(count)))
    oncue.wait_for_messages(count, "state = 'accepted' AND action = 'send_message'")
    assert "twilio.undelivered" not in oncue.event_names()
    older(oncue, 3 * clock.MINUTE)
    oncue.wait_for_event("twilio.undelivered", count, within=30)
    oncue.wait_for_messages(count, "adaptor = 'email'", within=30)  # and so they are told by e-mail
    counted = dict(oncue.query("SELECT label, SUM(count) FROM store_counter WHERE name = 'healed' GROUP BY label"))
    assert counted == {"twilio": count}
    told = oncue.call("GET", "/metrics")[2].decode()
    assert f'oncue_store_total{{kind="healed",label="twilio"}} {count}' in told
    assert 'oncue_in_doubt_messages{adaptor="twilio"} 0' in told
    assert 'oncue_reconciler_behind_seconds{adaptor="twilio"} ' in told


def older(oncue, by: int) -> None:
    """Stop, have everything happen so long ago, start again. Ids begin with their time."""
    import sqlite3

    oncue.stop()
    with sqlite3.connect(oncue.folder / "data" / "oncue.db") as database:
        database.create_function("shifted", 1, lambda one: f"{int(one[:12], 16) - by:012x}{one[12:]}")
        database.execute("UPDATE store_message SET id = shifted(id), created_at = created_at - ?", [by])
        database.execute("DELETE FROM store_setting WHERE name LIKE 'asked_%'")
    database.close()
    oncue.start()
