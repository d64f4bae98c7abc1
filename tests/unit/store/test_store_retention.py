"""Retention: what is older than members want it kept is deleted, a little at a time, and nothing else is."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest
from django.db import connection

from inside import Inside, turn
from oncue.core import clock
from oncue.core.adaptor import Reply
from oncue.core.outcome import Unknown
from oncue.store import alerts, retention, watch
from oncue.store.jobs import Edit, Reports
from oncue.store.retention import Retention
from oncue.workers import janitor
from oncue.workers.janitor import Janitor

DAY = 86_400
USER = {"phone_number": "+15005551001"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(janitor, "PAUSE_FOR", 0)


def kept_for(inside: Inside, **days: int) -> None:
    """Have it kept so long, and forget the rest."""
    inside.do(Edit(lambda: retention.save_retention(Retention(**days), "a test")))
    inside.run(Janitor(inside.writer).forget())


def counts(inside: Inside) -> dict[str, int]:
    return {
        one: inside.rows(f"SELECT COUNT(*) FROM store_{one}")[0][0]
        for one in ("event", "decision", "message", "attempt", "reply")
    }


def traffic(inside: Inside) -> None:
    """One text that was taken, one of which nobody knows, one reply."""
    inside.event("ann", "booked", user_properties=USER)
    inside.submit_claimed()
    inside.event("bob", "booked", user_properties={"phone_number": "+15005551002"})
    inside.ended(inside.claimed.pop().id, Unknown("lost"))
    reply = Reply(
        provider_id="SM1",
        address="+15005551001",
        sender="+15005550006",
        scopes=(),
        body="hi",
        properties={"body": "hi"},
    )
    inside.do(Reports("twilio", [reply]))


def test_everything_is_kept_unless_somebody_says_otherwise(inside: Inside):
    traffic(inside)
    before = counts(inside)
    turn(4_000 * DAY)
    inside.run(Janitor(inside.writer).forget())
    assert counts(inside) == before


def test_old_messages_go_with_their_attempts_but_one_whose_end_nobody_knows_stays(inside: Inside):
    traffic(inside)
    turn(50 * DAY)
    traffic(inside)
    kept_for(inside, messages=40)
    states = [state for (state,) in inside.rows("SELECT state FROM store_message ORDER BY seq")]
    assert states == ["unknown", "accepted", "unknown"]
    assert (
        len(inside.rows("SELECT 1 FROM store_attempt WHERE message IN (SELECT id FROM store_message)"))
        == 3
        == counts(inside)["attempt"]
    )
    assert counts(inside)["event"] > 4


def test_old_events_go_with_their_decisions_but_one_behind_a_message_stays_as_long_as_that(inside: Inside):
    traffic(inside)
    turn(50 * DAY)
    inside.event("ann", "booked")
    kept_for(inside, messages=40, events=40)
    left = inside.rows(
        "SELECT e.user_id, COALESCE(m.state, '') FROM store_event e LEFT JOIN store_message m ON m.event = e.id ORDER BY e.seq"
    )
    assert left == [("bob", "unknown"), ("ann", "submitting")]
    assert inside.rows("SELECT COUNT(*) FROM store_decision WHERE event NOT IN (SELECT id FROM store_event)") == [(0,)]
    assert counts(inside)["decision"] == 2


def test_old_exchanges_are_emptied_once_and_outcomes_stay(inside: Inside):
    traffic(inside)
    inside.execute('UPDATE store_attempt SET exchange = \'[{"method": "POST"}]\'')
    turn(50 * DAY)
    inside.event("ann", "booked")
    kept_for(inside, exchanges=40)
    assert inside.rows("SELECT outcome, exchange FROM store_attempt ORDER BY seq") == [
        ("Submitted", "[]"),
        ("Unknown", "[]"),
    ]
    newest = inside.rows("SELECT MAX(seq) FROM store_attempt")[0][0]
    assert inside.run(asyncio.to_thread(retention.begin, "exchanges")) == newest


def test_thousands_are_deleted_in_transactions_of_a_few_hundred(inside: Inside, monkeypatch: pytest.MonkeyPatch):
    ids = [f"{n:032x}" for n in range(1_201)]
    with closing(sqlite3.connect(inside.path)) as file, file:
        file.executemany(
            "INSERT INTO store_event (id, user_id, name, properties, timestamp, received_at, source, cause, root, depth, raw) "
            "VALUES (?, 'u', 'n', '{}', 0, 0, 's', '', ?, 0, '')",
            [(one, one) for one in ids],
        )
    asked, do = [], inside.writer.do
    monkeypatch.setattr(inside.writer, "do", lambda job: (asked.append(job), do(job))[1])
    kept_for(inside, events=40)
    assert counts(inside)["event"] == 0
    assert len(asked) == 1 + 3 + 1 + 1  # saved, deleted, nothing more, ids


def test_what_is_too_short_or_no_number_is_refused_with_a_sentence():
    for text in ("39", "-1", "x", "4000", "99999999", "４０"):
        _, faults = retention.read_values({"events": text})
        assert [fault.field for fault in faults] == ["events"], text
    given, faults = retention.read_values({"events": "", "messages": "40", "exchanges": "0"})
    assert (given, faults) == (Retention(messages=40), [])


@pytest.mark.parametrize(
    ("messages", "events", "is_right"), [("60", "60", True), ("60", "90", True), ("60", "50", False), ("", "60", False)]
)
def test_events_are_kept_as_long_as_the_messages_that_are_shown_with_them(messages: str, events: str, is_right: bool):
    _, faults = retention.read_values({"messages": messages, "events": events})
    assert ([fault.field for fault in faults] == []) is is_right


def test_what_it_and_the_watch_read_is_served_by_an_index(inside: Inside):
    traffic(inside)
    statements: set[str] = set()

    def note(execute, sql, params, many, context):
        if re.match("SELECT|INSERT|UPDATE|DELETE", sql):
            statements.add(sql)
        return execute(sql, params, many, context)

    def look() -> None:
        now = clock.now()
        with connection.execute_wrapper(note):
            for what in ("messages", "replies", "exchanges", "events"):
                retention.forget(what, 0, now + 1)
            watch.accepted(["twilio"], now, now, 0)
            watch.faulty_rules(0, 100)
            watch.newest_decision()
            watch.counted(["twilio.delivered"], 1, 3)
            watch.unknown(now)
            alerts.open_ones()
            alerts.to_tell()

    inside.do(Edit(look))
    found = []
    with closing(sqlite3.connect(inside.path)) as file:
        for sql in sorted(statements):
            marks = sql.replace("%s", "?")
            plan = file.execute(f"EXPLAIN QUERY PLAN {marks}", [None] * marks.count("?")).fetchall()
            found += [f"{step[3]}: {sql}" for step in plan if re.fullmatch(r"SCAN store_\w+", step[3])]
    assert len(statements) > 10
    assert not found, "\n".join(found)
