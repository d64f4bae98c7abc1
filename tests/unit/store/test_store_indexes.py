"""Nothing grows with history: every statement that the writer runs, and the one at boot, is served by an index."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

from django.db import connection

from inside import LOOP, Inside, turn
from oncue.core.adaptor import Reply, Status
from oncue.core.outcome import Retry
from oncue.store import boot, reading, seen
from oncue.store import statements as written
from oncue.store.jobs import Edit, Reports, Sweep

GROWING = "message|event|user|seen|decision|attempt|consent|optout|conversation|counter"
CHAIN = """
  - key: again
    name: Again
    state: "on"
    category: promotional
    triggers: [twilio.queued, twilio.sent]
    actions: [{action: twilio.send_message, body: more, to: "{{ user.phone_number }}"}]
"""


def scanned(inside: Inside, statements: set[str]) -> list[str]:
    """Steps of the statements' plans that read a whole table that grows with history."""
    found = []
    with closing(sqlite3.connect(inside.path)) as file:
        for sql in sorted(statements):
            marks = sql.replace("%s", "?")
            plan = file.execute(f"EXPLAIN QUERY PLAN {marks}", [None] * marks.count("?")).fetchall()
            found += [f"{step[3]}: {sql}" for step in plan if re.fullmatch(f"SCAN store_({GROWING})", step[3])]
    return found


def test_no_statement_of_the_writer_reads_a_whole_table(inside, monkeypatch):
    statements: set[str] = set()

    def note(execute, sql, params, many, context):
        if re.match("SELECT|INSERT|UPDATE|DELETE", sql):
            statements.add(sql)
        return execute(sql, params, many, context)

    run = written._run
    monkeypatch.setattr(written, "_run", lambda sql, values: (statements.add(sql), run(sql, values))[1])
    inside.do(Edit(lambda: connection.execute_wrappers.append(note)))
    inside.apply(LOOP + CHAIN)
    properties = {"phone_number": "+15005551001", "consent_promotional": True}
    inside.event("ann", "booked", user_properties=properties, id="1")
    one = inside.claimed.pop().id
    inside.ended(one, Retry("Too many requests", after=60))
    turn(100)
    inside.do(Sweep())
    inside.submit_claimed()
    inside.do(Reports("twilio", [
        Status(provider_id=f"SM{one}", status="sent", raw={}),
        Status(provider_id=f"SM{one}", status="undelivered", error_code="30630", opts_out=True, recipient="+15005551001", raw={}),
        Reply(provider_id="SM9", address="+15005551002", sender="+15005550006", scopes=("+15005550006",), body="hi", properties={}),
    ], {}))  # fmt: skip
    turn(9 * 3_600)
    inside.do(Sweep())
    inside.do(Edit(lambda: seen.forget(0)))
    assert len(statements) > 30
    assert not scanned(inside, statements)


def test_neither_boot_nor_the_counts_of_states_read_all_messages(inside):
    statements: set[str] = set()

    def note(execute, sql, params, many, context):
        statements.add(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        boot.settle()
        reading.states()
    connection.close()
    assert len(statements) == 4 and not scanned(inside, statements)
