"""What pages read: pages of listings, search, timelines, conversations. All of it as fast with much history as with little."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from inside import TWILIO, Inside, turn
from oncue.core import clock
from oncue.core.adaptor import Reply
from oncue.store import alerts, audit, held, optouts, overview, paging, reading, replies, search, timeline
from oncue.store.jobs import Reports

ANN = {"phone_number": "+15005551001", "email": "ann@example.com", "first_name": "Ann", "last_name": "O'Hara"}
SENDER = "+15005550006"


@pytest.fixture(autouse=True)
def _closed():
    yield
    connection.close()


def seqs(found):
    return [row["seq"] for row in found.rows]


def reply(inside: Inside, body: str, number: int = 1, address: str = "+15005551001", consent: str = "") -> None:
    one = Reply(
        provider_id=f"SMin{number}", address=address, sender=SENDER, scopes=(SENDER,), body=body, consent=consent, properties={"body": body}
    )  # fmt: skip
    inside.do(Reports("twilio", [one]))


# Pages.


def test_pages_follow_one_another_to_the_end(inside):
    inside.take(*({"type": "event", "user": "u", "name": f"n{n}"} for n in range(5)))
    first = reading.events(limit=2)
    second = reading.events(limit=2, before=first.next_before)
    third = reading.events(limit=2, before=second.next_before)
    assert [row["name"] for page in (first, second, third) for row in page] == ["n4", "n3", "n2", "n1", "n0"]
    assert third.next_before is None and len(third) == 1
    exact = reading.events(limit=5)
    assert exact.next_before is None and exact.looked_at_until is None
    assert [row["name"] for row in reading.events(after=second.rows[-1]["seq"])] == ["n4", "n3", "n2"]


def test_every_filter_of_messages_holds(inside):
    inside.event("ann", "booked", user_properties=ANN)
    inside.submit_claimed()
    inside.event("bob", "booked", user_properties={"phone_number": "+15005551002"})
    ann = {
        "user": "ann", "rule": "confirm", "state": "accepted", "carrier_status": "queued", "adaptor": "twilio",
        "recipient": "+15005551001", "sender": SENDER, "country": "US",
    }  # fmt: skip
    only_hers = {"user", "state", "carrier_status", "recipient"}
    for name, value in ann.items():
        users = {row["user_id"] for row in reading.messages(**{name: value})}
        assert users == ({"ann"} if name in only_hers else {"ann", "bob"}), name
        assert not reading.messages(**{name: "nothing"}).rows
    assert [row["user_id"] for row in reading.messages(**ann)] == ["ann"]
    assert not reading.messages(error_code="30003").rows


def test_a_filter_without_an_index_looks_at_a_bounded_number_and_says_how_far(inside, monkeypatch):
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 10)
    inside.event("u", "rare")
    turn(60)
    inside.take(*({"type": "event", "user": "u", "name": "frequent"} for _ in range(25)))
    looked, before, steps = [], None, 0
    while True:
        page = reading.events(name="rare", before=before)
        steps += 1
        looked += page.rows
        if page.next_before is None:
            break
        assert page.looked_at_until is not None and page.looked_at_until > clock.now() - 60_000
        before = page.next_before
    assert [row["name"] for row in looked] == ["rare"] and steps == 3 and page.looked_at_until is None
    # So does one user's history, when something else is looked for in it.
    assert reading.events(user="u", name="rare").looked_at_until is not None
    assert not reading.events(user="u").looked_at_until


def test_a_span_of_time_is_found_by_halves_and_both_ends_belong_to_it(inside):
    times = []
    for n in range(20):
        inside.event("u", f"n{n}")
        times.append(reading.events(limit=1).rows[0]["received_at"])
        turn(10)
    for start, end in ((3, 7), (0, 0), (19, 19), (0, 19)):
        found = reading.events(since=times[start], until=times[end])
        assert [row["name"] for row in found] == [f"n{n}" for n in range(end, start - 1, -1)]
    assert [row["name"] for row in reading.events(since=times[3], until=times[7], limit=2, before=7)] == ["n5", "n4"]
    assert not reading.events(since=times[19] + 1).rows and not reading.events(until=times[0] - 1).rows
    assert not reading.messages(since=0, until=clock.now()).rows


def test_opt_outs_by_state_by_number_however_written_and_by_its_beginning(inside):
    for number in ("+353861234567", "+353869999999", "+447700900123"):
        optouts.add(number, SENDER, "x", "asked")
    optouts.lift("+353869999999", SENDER, "x", "asked again")
    shown = lambda **given: [row["address"] for row in reading.opt_outs(**given)]  # noqa: E731
    assert shown() == ["+447700900123", "+353869999999", "+353861234567"]
    assert shown(state="active") == ["+447700900123", "+353861234567"] and shown(state="lifted") == ["+353869999999"]
    assert shown(address="+353 86 123 4567") == ["+353861234567"]
    assert shown(address="+353") == ["+353869999999", "+353861234567"]
    assert shown(address="+353", state="active") == ["+353861234567"]
    assert shown(address="+35_") == [] and shown(address="%") == []
    connection.close()


# People.


def test_people_are_found_by_id_number_address_and_name(inside):
    inside.take(
        {"type": "user", "user": "ann-1", "properties": ANN},
        {"type": "user", "user": "ann-2", "properties": {"first_name": "Éa_n", "phone_number": "+353861234567"}},
        {"type": "user", "user": "bob", "properties": {"name": 'Bob "the" Builder', "note": "ann@example.com"}},
    )
    found = lambda text, **more: [row["id"] for row in search.users(search=text, **more)]  # noqa: E731
    assert sorted(found("ann-")) == ["ann-1", "ann-2"] and found("bob") == ["bob"]
    for text in ("+1 500 555 1001", "15005551001", "ann@example.com", "ANN@example.com", "o'h"):
        assert found(text) == ["ann-1"], text
    assert found("Éa_") == ["ann-2"] and found('bob "the') == ["bob"]
    assert found("086 123 4567", country="IE") == ["ann-2"] and found("086 123 4567") == []
    assert found("Ann") == ["ann-1"] and found("a_n") == [] and found("%") == []
    assert found("example.com") == []
    assert [row["id"] for row in search.users()] == ["bob", "ann-2", "ann-1"]


def test_an_id_is_found_however_long_ago(inside, monkeypatch):
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 2)
    inside.take(*({"type": "user", "user": f"u{n}", "properties": {"first_name": f"N{n}"}} for n in range(9)))
    page = search.users(search="u0")
    assert [row["id"] for row in page] == ["u0"] and page.looked_at_until is not None
    assert not search.users(search="N0").rows


def test_a_timeline_is_one_list_whatever_the_page(inside):
    inside.event("ann", "booked", user_properties=ANN)
    inside.submit_claimed()
    turn(5)
    inside.event("ann", "left")
    inside.event("bob", "left")
    whole = timeline.timeline("ann")
    shown = [(one.kind, one.row.get("name") or one.row["state"]) for one in whole.moments]
    # The consent to nothing: events first, and each message after the event that caused it.
    assert shown == [("event", "left"), ("event", "twilio.queued"), ("message", "accepted"), ("event", "booked")]
    paged, before = [], None
    for _ in range(5):
        page = timeline.timeline("ann", limit=1, before=before)
        paged += page.moments
        before = page.next_before
        if before is None:
            break
    assert paged == whole.moments
    for nonsense in ("x", "1", "1.x", "-1.5"):
        with pytest.raises(ValueError):
            timeline.timeline("ann", before=nonsense)


def test_a_conversation_is_what_went_to_and_fro_with_one_address(inside):
    inside.event("ann", "booked", {"n": 1}, user_properties=ANN)
    inside.submit_claimed()
    turn(5)
    reply(inside, "Thanks! Can I bring a dog?")
    turn(5)
    inside.event("ann", "booked", {"n": 2})
    inside.event("bob", "booked", user_properties={"phone_number": "+15005551002"})
    told = timeline.conversation("+15005551001")
    assert [(one.kind, one.row.get("body") or one.row["fields"]["body"]) for one in told] == [
        ("message", "Booked 1"), ("reply", "Thanks! Can I bring a dog?"), ("message", "Booked 2"),
    ]  # fmt: skip
    assert [one.kind for one in timeline.conversation("+15005551001", limit=2)] == ["reply", "message"]
    inside.take({"type": "user", "user": "ann", "properties": {"phone_number": "+15005551009"}})
    assert len(timeline.conversation("+15005551001")) == 3  # she had this number when she was texted
    assert timeline.conversation("+15005559999") == []


# Replies.


def test_a_reply_is_kept_with_whose_it_is_and_flagged_if_it_reads_like_an_opt_out(inside):
    inside.event("ann", "booked", user_properties=ANN)
    inside.submit_claimed()
    reply(inside, "please stop texting me", 1)
    reply(inside, "please stop texting me", 1)  # told twice
    reply(inside, "STOP", 2, consent="opted_out")
    reply(inside, "Who is this?", 3, "+15005558888")
    shown = [(row["user_id"], row["body"], row["consent"], row["flag"]) for row in replies.replies()]
    assert shown == [
        ("", "Who is this?", "", ""),
        ("ann", "STOP", "opted_out", ""),
        ("ann", "please stop texting me", "", "maybe_opt_out"),
    ]
    assert replies.count_open() == {"open": 3, "flagged": 1}
    assert [row["flag"] for row in replies.replies(show="flagged")] == ["maybe_opt_out"]
    assert len(replies.replies(address="+15005551001")) == 2
    assert seqs(replies.replies(limit=2)) == [3, 2] and seqs(replies.replies(before=2, show="open")) == [1]


def test_a_reply_is_handled_by_somebody_and_can_be_opened_again(inside):
    reply(inside, "leave me alone", 1)
    reply(inside, "hello", 2)
    replies.mark_handled(1, "ann@example.com")
    found = replies.reply(1)
    assert found["handled_by"] == "ann@example.com" and found["handled_at"]
    assert seqs(replies.replies(show="open")) == [2] and not replies.replies(show="flagged").rows
    assert seqs(replies.replies(show="flagged", address="+15005551001")) == []
    replies.reopen(1, "bob@example.com")
    assert seqs(replies.replies(show="open")) == [2, 1] and seqs(replies.replies(show="flagged")) == [1]
    assert [entry["verb"] for entry in audit.page(kind="reply", name="+15005551001")] == ["reopened", "handled"]


# Nothing grows with history.

PARTIAL = "message_waiting|message_send_by|message_in_doubt|reply_open|alert_open_once"
GROWING = "message|event|user|decision|attempt|optout|conversation|counter|reply|audit|alert"
READS = {
    "messages": lambda: reading.messages(limit=20),
    "messages, next": lambda: reading.messages(limit=20, before=50),
    "messages, filtered": lambda: reading.messages(limit=20, user="u7", rule="r3", since=1, until=clock.now()),
    "messages, waiting": lambda: reading.messages(limit=20, state="waiting", error_code="1"),
    "events": lambda: reading.events(limit=20),
    "events of a user": lambda: reading.events(limit=20, user="u7", name="booked"),
    "users": lambda: search.users(limit=20),
    "users, found": lambda: search.users(limit=20, search="u7"),
    "timeline": lambda: timeline.timeline("u7", limit=20),
    "conversation": lambda: timeline.conversation("+15005551001"),
    "opt-outs": lambda: reading.opt_outs(address="+15005551001", state="active"),
    "replies": lambda: replies.replies(),
    "replies, open": lambda: replies.replies(show="open"),
    "replies, flagged": lambda: replies.replies(show="flagged", before=9),
    "replies of one": lambda: replies.replies(address="+15005551001"),
    "replies, counted": replies.count_open,
    "alerts": alerts.alerts,
    "audit": audit.page,
    "audit of one": lambda: audit.page(kind="rule", name="r3"),
    "overview": lambda: overview.overview(clock.now() // clock.HOUR - 24, clock.now() // clock.HOUR + 1),
    "rules": overview.rule_stats,
    "held": held.holding,
}


@pytest.mark.parametrize("name", READS)
def test_no_read_looks_through_a_whole_table(inside, name):
    statements = []

    def note(execute, sql, params, many, context):
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        READS[name]()
    assert statements
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            for *_, step in cursor.fetchall():
                bad = re.match(rf"SCAN (store_({GROWING})|c)\b(?! USING (COVERING )?INDEX ({PARTIAL})\b)", step)
                # The least or greatest seq alone is one step down the table's own key.
                assert not bad or "MAX(" in sql, (step, sql)


def steps(function) -> int:
    """Instructions of SQLite's machine."""
    connection.ensure_connection()
    counted = [0]
    connection.connection.set_progress_handler(lambda: counted.__setitem__(0, counted[0] + 1), 1)
    try:
        function()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return counted[0]


def fill(inside: Inside, first: int, last: int) -> None:
    """Messages and events of long ago, one each for every number."""
    numbers = f"WITH RECURSIVE n(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n WHERE n < {last}) "
    columns = [row[1:3] for row in inside.rows("PRAGMA table_info(store_message)")]
    given = {
        "id": "printf('%032x', n)", "user_id": "'u' || (n % 50 + n / 50 * 50)", "rule": "'r' || (n % 5)", "state": "'accepted'",
        "adaptor": "'twilio'", "action": "'send_message'", "created_at": "n", "updated_at": "n", "scopes": "'[]'", "fields": "'{}'",
        "warnings": "'[]'", "lane": "'twilio x'", "provider_id": "'SM' || n", "root": "printf('%032x', n)", "event": "printf('%032x', n)",
    }  # fmt: skip

    def value(name: str, kind: str) -> str:
        return given.get(name, "0" if "int" in kind.lower() or "real" in kind.lower() else "''")

    names = [(name, kind) for name, kind in columns if name != "seq"]
    inside.execute(
        f"{numbers} INSERT INTO store_message ({', '.join(name for name, _ in names)}) SELECT {', '.join(value(*one) for one in names)} FROM n"
    )
    inside.execute(
        f"{numbers} INSERT INTO store_event (id, user_id, name, properties, timestamp, received_at, source, cause, root, depth, raw) "
        "SELECT printf('%032x', n), 'u' || n, 'booked', '{}', n, n, 'shop', '', printf('%032x', n), 0, '' FROM n"
    )


def test_pages_and_the_overview_take_the_same_work_with_a_hundred_times_the_history(inside):
    inside.apply(TWILIO)
    fill(inside, 1, 200)
    inside.event("u7", "booked", user_properties=ANN)
    inside.submit_claimed()
    few = {name: steps(read) for name, read in READS.items()}
    connection.close()
    inside.execute("UPDATE store_message SET seq = seq + 1000000 WHERE seq > 200")
    inside.execute("UPDATE store_event SET seq = seq + 1000000 WHERE seq > 200")
    fill(inside, 201, 20_000)
    many = {name: steps(read) for name, read in READS.items()}
    grown = {name: (few[name], many[name]) for name in READS if many[name] > few[name] * 1.1 + 100}
    # Of these the first looks for a time by halves, and the second for what no index leads to, among a bounded number of the newest.
    assert grown.keys() == {"messages, filtered", "messages, waiting"}, grown
    assert many["messages, filtered"] < 3 * few["messages, filtered"]


def test_the_first_page_looks_less_far_than_those_that_follow(inside, monkeypatch):
    monkeypatch.setattr(paging, "LOOKED_AT_FIRST", 3)
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 10)
    inside.take(*({"type": "event", "user": "u", "name": "frequent"} for _ in range(25)))
    ((newest,),) = inside.rows("SELECT MAX(seq) FROM store_event")
    first = reading.events(name="rare").next_before
    assert first is not None and newest + 1 - first == 3
    second = reading.events(name="rare", before=first).next_before
    assert second is not None and first - second == 10
