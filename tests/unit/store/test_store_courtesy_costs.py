"""What quiet hours and caps cost: one statement for all of a request, and none of it grows with history."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from inside import Inside
from listening import listening, reads
from oncue.core import clock
from oncue.store import statements as written
from policed import (
    OFFER,
    Q_ANY,
    capped,
    furnish,
    hour,
    house,
    offers,
)

__all__ = ["hour", "house"]


def test_the_cap_is_one_statement_for_all_of_a_request(hour, inside, monkeypatch):
    capped(inside, cap=50)
    one = reads(inside, monkeypatch, ("ann", "offered"))
    many = reads(inside, monkeypatch, *[(user, "offered") for user in ("ann", "bob", "eve") for _ in range(10)])
    assert len(one) == len(many) and sum("RECURSIVE" in sql for sql in one) == 1


def test_what_holds_for_promotional_messages_only_costs_transactional_ones_no_statement(hour, inside, monkeypatch):
    furnish(inside, "{" + Q_ANY + "}", OFFER)
    free = reads(inside, monkeypatch, ("ann", "booked"))
    furnish(inside, "{cap_messages: 3}", OFFER)
    assert reads(inside, monkeypatch, ("ann", "booked")) == free


def test_the_cap_does_not_read_a_person_s_history(hour, inside, monkeypatch):
    """Neither what they were sent before the days that count, nor what others were sent since."""
    capped(inside)
    steps = [seen_by_the_cap(inside, monkeypatch)]
    for state, at in (("accepted", hour.now - 400 * clock.DAY), ("suppressed", hour.now)):
        inside.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
            "INSERT INTO store_message (id, user_id, rule, event, root, depth, adaptor, action, category, priority, fields, recipient, sender,"
            " country, scopes, lane, per_second, warnings, state, reason, carrier_status, provider_id, error_code, error_message, raised,"
            " attempts, boot, send_by, due_at, created_at, updated_at) "
            "SELECT printf('%s%027d', ?1, i), CASE WHEN ?1 = 'accep' THEN 'ann' ELSE 'u' || i END, 'offer', '', '', 0, 'twilio', 'send_message',"
            " 'promotional', 1, '{}', '', '', '', '[]', '', 0, '[]', ?2, '', '', '', '', '', '', 1, '', 0, ?3, ?3, ?3 FROM n",
            state[:5], state, at,
        )  # fmt: skip
        steps.append(seen_by_the_cap(inside, monkeypatch))
    assert max(steps) < min(steps) + 100, steps
    assert offers(inside, "ann", "ann", "ann") == ["submitting", "submitting", "suppressed capped"], "and counts right"


def seen_by_the_cap(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> int:
    """Tens of steps of SQLite's machine that the cap's statement takes for ann."""
    with listening(inside, monkeypatch) as heard:
        inside.event("nobody", "nothing")
        assert not any("RECURSIVE" in sql for sql in heard)
    asked: list[tuple[str, list]] = []
    run = written._run
    with monkeypatch.context() as patched:
        patched.setattr(written, "_run", lambda sql, values: (asked.append((sql, list(values))), run(sql, values))[1])
        inside.event("ann", "offered")
    inside.execute(
        "UPDATE store_message SET state = 'canceled' WHERE state IN ('submitting', 'suppressed') AND user_id = 'ann'"
    )
    ((sql, values),) = [one for one in asked if "RECURSIVE" in one[0]]
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    with closing(sqlite3.connect(inside.path)) as file:
        plan = file.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        assert any("USING INDEX message_user (user_id=? AND seq>?)" in row[3] for row in plan), plan
        assert not [row[3] for row in plan if row[3].startswith("SCAN store_")], plan
        file.set_progress_handler(step, 10)
        file.execute(sql, values).fetchall()
    return steps
