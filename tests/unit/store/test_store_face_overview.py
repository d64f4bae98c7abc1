"""The overview counts each message once for each thing it came to; what is held says why; what was seen is picked from."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from inside import LOOP, RULE, TWILIO, turn
from oncue.core import clock
from oncue.core.adaptor import Reply, Status
from oncue.core.outcome import Blame, Rejected, Retry, Submitted, Suppressed, Unknown
from oncue.store import examples, held, metrics, overview, shapes, writer
from oncue.store.jobs import Edit, Probe, Reports, Sweep

ANN = {"phone_number": "+15005551001"}
SENDER = "+15005550006"


@pytest.fixture(autouse=True)
def _closed():
    yield
    connection.close()


def today():
    hour = clock.now() // clock.HOUR
    return overview.overview(hour - 23, hour + 1)


def texted(inside, user="ann", number="+15005551001"):
    inside.event(user, "booked", user_properties={"phone_number": number})
    return inside.claimed.pop().id


def told(inside, message, status, code=""):
    one = Status(message_id=message, provider_id=f"SM{message}", status=status, error_code=code, raw={})
    inside.do(Reports("twilio", [one]))


def test_a_message_is_counted_once_for_each_thing_it_came_to_however_often_it_is_told(inside):
    one = texted(inside)
    told(inside, one, "sent")  # the callback is faster than the answer
    inside.ended(one, Submitted(provider_id=f"SM{one}", status="queued"))
    for status in ("sent", "delivered", "delivered", "queued"):
        told(inside, one, status)
    other = texted(inside, "bob", "+353861234567")
    inside.ended(other, Submitted(provider_id=f"SM{other}", status="queued"))
    for _ in range(2):
        told(inside, other, "undelivered", "30003")
    seen = today()
    assert {word: count for word, count in seen.totals.items() if count} == {
        "events": 2 + 5, "submitted": 2, "sent": 1, "delivered": 1, "undelivered": 1,
    }  # fmt: skip
    assert [(row["label"], row["submitted"], row["delivered"], row["undelivered"]) for row in seen.rules] == [
        ("confirm", 2, 1, 1)
    ]
    assert {row["label"]: row["submitted"] for row in seen.countries} == {"US": 1, "IE": 1}
    assert [(row["label"], row["submitted"]) for row in seen.senders] == [(SENDER, 2)]
    assert seen.errors == [{"adaptor": "twilio", "code": "30003", "count": 1}]


def test_what_nobody_knew_is_counted_when_it_is_proved(inside):
    one = texted(inside)
    inside.ended(one, Unknown("time-out"))
    assert today().totals["submitted"] == 0
    told(inside, one, "delivered")
    assert (today().totals["submitted"], today().totals["delivered"]) == (1, 1)


def test_refusals_are_no_words_of_the_carrier_s(inside):
    inside.ended(texted(inside), Rejected("Not a number.", Blame.RECIPIENT, "21211"))
    inside.ended(texted(inside), Suppressed("They opted out.", "21610"))
    inside.event("ann", "booked")  # forbidden by the opt-out
    totals = today().totals
    assert (totals["rejected"], totals["failed"], totals["suppressed"], totals["opt_out"]) == (1, 0, 2, 1)
    assert {row["label"]: row["count"] for row in today().reasons} == {"provider": 1, "opted_out": 1}
    assert {one["code"] for one in today().errors} == {"21211"}


def test_what_expires_and_who_leaves_is_counted(inside):
    inside.ended(texted(inside), Retry("busy", after=60))
    turn(5 * 3_600)
    inside.do(Sweep())
    reply = Reply(
        provider_id="SM1", address="+15005551001", sender=SENDER, scopes=(SENDER,), body="STOP", consent="opted_out", properties={}
    )  # fmt: skip
    inside.do(Reports("twilio", [reply]))
    totals = today().totals
    assert (totals["expired"], totals["opt_out"], totals["suppressed"]) == (1, 1, 0)


def test_each_hour_has_its_own_counts_and_the_span_has_its_ends(inside):
    inside.submit_claimed()
    texted_at = clock.now() // clock.HOUR
    inside.ended(one := texted(inside), Submitted(provider_id=f"SM{one}", status="queued"))
    turn(2 * 3_600)
    told(inside, one, "delivered")
    seen = overview.overview(texted_at, texted_at + 4)
    assert [row["at"] for row in seen.hours] == [(texted_at + n) * clock.HOUR for n in range(4)]
    assert [sum(row["submitted"] for row in seen.hours), sum(row["delivered"] for row in seen.hours)] == [1, 1]
    assert seen.hours[0]["delivered"] == 0
    before, after = overview.overview(texted_at - 5, texted_at), overview.overview(texted_at + 4, texted_at + 9)
    assert not any(before.totals.values()) and not any(after.totals.values())
    assert overview.overview(texted_at, texted_at).hours == []


def test_latency_is_told_as_the_bucket_that_half_of_all_and_nearly_all_stay_within(inside):
    inside.apply(TWILIO + "rules:" + RULE)
    messages = []
    for n in range(60):
        messages.append(texted(inside))
        if n == 57:
            turn(3)  # they take longer
            for one in messages:
                inside.ended(one, Submitted(provider_id=f"SM{one}", status="queued"))
            messages.clear()
    turn(400)
    for one in messages:
        inside.ended(one, Submitted(provider_id=f"SM{one}", status="queued"))
    latency = today().latency
    assert latency.count == 60 and latency.p50 in (5_000, 10_000, 30_000) and latency.p99 is None
    assert sum(one.count for one in today().latency_by_hour.values()) == 60
    assert (
        overview.overview(0, 1).latency == overview.Latency(0, None, None) or overview.overview(0, 1).latency.count == 0
    )


def test_rules_are_counted_and_known_by_when_they_last_fired(inside):
    inside.ended(one := texted(inside), Submitted(provider_id=f"SM{one}", status="queued"))
    fired_at = clock.now() // clock.HOUR * clock.HOUR
    stats = overview.rule_stats()
    assert stats["confirm"].counts["submitted"] == stats["confirm"].counts["fired"] == 1
    assert stats["confirm"].last_fired_at in (fired_at, fired_at - clock.HOUR)
    turn(10 * 86_400)
    stats = overview.rule_stats()["confirm"]
    assert stats.counts["fired"] == 0 and stats.last_fired_at in (fired_at, fired_at - clock.HOUR)
    turn(30 * 86_400)
    assert "confirm" not in overview.rule_stats()


# What is held.


def kinds():
    found = held.holding()
    return {(one.adaptor, one.why, one.what): one.count for one in found.held}


def test_what_waits_says_what_for(inside):
    inside.apply(LOOP.replace("messages_per_second: 0", "messages_per_second: 0.001"))
    paced = texted(inside)
    inside.event("ann", "booked")
    assert kinds() == {("twilio", "pacing", ""): 1}
    found = held.holding()
    assert (found.waiting, found.submitting, found.unknown, found.is_more) == (1, 1, 0, False)
    inside.ended(paced, Retry("The carrier is busy.", after=600))
    assert kinds() == {("twilio", "pacing", ""): 1, ("twilio", "retry", ""): 1}
    inside.execute("UPDATE store_adaptor SET state = 'inactive', problem = 'Switched off.'")
    assert kinds() == {("twilio", "inactive", ""): 2} and held.holding().held[0].sentence == "Switched off."


def test_a_pause_is_named_with_the_provider_s_words(inside):
    inside.ended(texted(inside), Rejected("The sender is not registered.", Blame.SENDER, "30034"))
    assert kinds() == {("twilio", "paused", SENDER): 1}
    assert "not registered" in held.holding().held[0].sentence
    turn(6 * 60)
    inside.do(Probe())
    assert held.holding().submitting == 1  # one of them tries again


def test_what_waits_for_the_morning_says_so(inside):
    inside.event("ann", "booked", user_properties=ANN)
    later = clock.now() + clock.HOUR
    inside.execute(
        "UPDATE store_message SET state = 'waiting', reason = 'quiet_hours: It is night.', due_at = ?", later
    )
    (one,) = held.holding().held
    assert (one.why, one.count, one.next_at) == ("quiet_hours", 1, later)


def test_beyond_a_number_it_is_only_said_that_there_is_more(inside, monkeypatch):
    monkeypatch.setattr(held, "MOST_COUNTED", 3)
    inside.execute("UPDATE store_adaptor SET state = 'inactive'")
    inside.execute("UPDATE store_setting SET value = value + 1 WHERE name = 'config_version'")
    for _ in range(5):
        inside.event("ann", "booked", user_properties=ANN)
    assert (held.holding().waiting, held.holding().is_more) == (3, True)


# Properties seen.


def kept(inside, name):
    found = inside.rows("SELECT properties FROM store_eventname WHERE name = ?", name)
    return json.loads(found[0][0]) if found else None


def test_properties_are_written_down_with_an_example_when_a_name_comes_with_new_ones(inside):
    inside.event("ann", "paid", {"amount": 12.5, "note": "x" * 100, "paid": True, "who": None})
    assert kept(inside, "paid") == {"amount": 12.5, "note": "x" * 59 + "…", "paid": True}
    inside.event(
        "ann", "paid", {"amount": 99, "who": "bob", "lines": [{"sku": 1}], "place": {"city": "Cork", "deep": {"x": 1}}}
    )
    assert kept(inside, "paid") == {
        "amount": 12.5, "note": "x" * 59 + "…", "paid": True, "who": "bob", "lines": '[{"sku":1}]',
        "place": {"city": "Cork", "deep": '{"x":1}'},
    }  # fmt: skip
    assert examples.event_properties(["paid"])[".place.city"] == "Cork"


def test_users_properties_are_seen_too(inside):
    inside.take({"type": "user", "user": "ann", "properties": {"first_name": "Ann"}})
    inside.event("ann", "x", user_properties={"age": 41})
    assert kept(inside, "$user") == {"first_name": "Ann", "age": 41}
    assert examples.user_properties() == {".first_name": "Ann", ".age": 41}


def test_an_event_of_a_known_shape_costs_no_statement(inside):
    statements = []

    def note(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    inside.event("ann", "paid", {"amount": 1})
    inside.do(Edit(lambda: connection.execute_wrappers.append(note)))
    statements.clear()
    inside.event("ann", "paid", {"amount": 2})
    assert not [sql for sql in statements if "store_eventname" in sql]
    inside.event("ann", "paid", {"amount": 2, "tip": 1})
    assert [sql for sql in statements if "store_eventname" in sql]


def test_what_apps_make_up_stays_bounded(inside, monkeypatch):
    monkeypatch.setattr(shapes, "MOST_PROPERTIES", 5)
    monkeypatch.setattr(writer, "MOST_SHAPES", 10)
    for n in range(30):
        inside.event("ann", "made", {f"p{n}": n})
    assert list(kept(inside, "made")) == [f"p{n}" for n in range(5)]
    assert len(inside.writer._known_shapes) <= 12


def test_a_restart_forgets_shapes_and_writes_nothing_twice(inside):
    inside.event("ann", "paid", {"amount": 1})
    inside.close()
    inside.open()
    inside.event("ann", "paid", {"amount": 2, "tip": 3})
    assert kept(inside, "paid") == {"amount": 1, "tip": 3}


# Metrics.


def test_names_that_apps_make_up_do_not_fill_the_metrics(inside, monkeypatch):
    monkeypatch.setattr(metrics, "MOST_LABELS", 3)
    for n in range(10):
        inside.event("ann", f"n{n}")
    inside.event("ann", "n0")
    text = inside.call("GET", "/metrics").body.decode()
    shown = [line for line in text.splitlines() if 'kind="event"' in line]
    assert sorted(shown) == [
        'oncue_store_total{kind="event",label="n0"} 2',
        'oncue_store_total{kind="event",label="n1"} 1',
        'oncue_store_total{kind="event",label="n2"} 1',
        'oncue_store_total{kind="event",label="other"} 7',
    ]
    assert len(inside.rows("SELECT 1 FROM store_counter WHERE name = 'event'")) == 10  # what people read has them all
