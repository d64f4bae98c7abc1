"""Nobody is texted at night, and nobody too often: when a message is made, and again when it is claimed."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from inside import ANY_HOUR, KEYS, RULE, TWILIO, Inside, turn
from oncue.cli.rules import _tell_hour
from oncue.core import clock
from oncue.core.adaptor import Reply
from oncue.core.event import User
from oncue.core.message import Category
from oncue.core.outcome import Blame, Rejected, Retry
from oncue.rules.document import Document, read_document
from oncue.store import apply as applying
from oncue.store import statements as written
from oncue.store.jobs import Edit, Record, Reports, Sweep
from oncue.store.policy import FIELDS, Policy, read_policy, save_policy
from oncue.store.results import Attempted

ANN, BOB, SENDER = "+353851234567", "+12125551234", "+15005550006"
OFFER = RULE.replace("confirm", "offer").replace("transactional", "promotional").replace("[booked]", "[offered]")
OFFER = OFFER.replace("    triggers", "    send_within: 12h\n    triggers")
NEWS = OFFER.replace("offer", "news").replace("[newsed]", "[published]")
EMAIL = '  email: {smtp_url: "smtp://127.0.0.1:9", from: "Shop <shop@example.com>"}\n'
OPTED_IN = {"consent_promotional": True}
Q_ANY = "quiet_categories: []"


class Hour:
    """The clock, stopped, and set by the wall of Dublin in winter (which is UTC)."""

    def __init__(self) -> None:
        self.now = clock.parse_iso("2027-01-15 12:00")

    def __call__(self) -> int:
        return self.now

    def set(self, text: str) -> None:
        """`15 21:00:00` in January 2027."""
        self.now = clock.parse_iso(f"2027-01-{text}")


@pytest.fixture
def hour(monkeypatch: pytest.MonkeyPatch) -> Hour:
    stopped = Hour()
    monkeypatch.setattr(clock, "now", stopped)
    return stopped


@pytest.fixture
def house(hour: Hour, inside: Inside) -> Inside:
    """With offers on `offered`, under the policy that holds if nobody says a word."""
    return furnish(inside, "{}", OFFER)


def furnish(inside: Inside, policy: str, *rules: str, adaptors: str = TWILIO) -> Inside:
    inside.apply(KEYS.replace(ANY_HOUR, f"policy: {policy}\n") + adaptors + "rules:" + RULE + "".join(rules))
    inside.run(inside.writer.probe(5))
    inside.take(
        {"type": "user", "user": "ann", "properties": {"phone_number": ANN, "email": "ann@example.com", **OPTED_IN}},
        {"type": "user", "user": "bob", "properties": {"phone_number": BOB, **OPTED_IN}},
    )
    return inside


def became(inside: Inside, event: str) -> str:
    """What became of the message of this event: its state, and the reason's first word."""
    ((state, reason),) = inside.rows("SELECT state, reason FROM store_message WHERE event = ?", event)
    return f"{state} {reason.partition(':')[0]}".strip()


def reason(inside: Inside) -> str:
    """Of the last message."""
    ((found,),) = inside.rows("SELECT reason FROM store_message ORDER BY seq DESC LIMIT 1")
    return str(found)


# At night.


def test_an_offer_made_at_night_waits_until_morning_and_then_goes(house, hour):
    hour.set("15 22:10:30")
    one = house.event("ann", "offered")
    assert became(house, one) == "waiting quiet_hours" and not house.claimed
    assert house.messages("due_at") == [(clock.parse_iso("2027-01-16 08:00"),)]
    assert reason(house) == "quiet_hours: It was 22:10 (Europe/Dublin), and quiet until 08:00, so it waits until then."
    for time in ("16 00:00:00", "16 07:59:59.999"):
        hour.set(time)
        house.do(Sweep())
        assert became(house, one) == "waiting quiet_hours"
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, one) == "submitting", "and the reason for waiting is gone"
    assert len(house.claimed) == 1


@pytest.mark.parametrize(
    ("time", "becomes"),
    [
        ("15 20:59:59.999", "submitting"),
        ("15 21:00:00", "waiting quiet_hours"),
        ("16 07:59:59.999", "waiting quiet_hours"),
        ("16 08:00:00", "submitting"),
    ],
)
def test_the_night_begins_and_ends_on_the_second(house, hour, time, becomes):
    hour.set(time)
    assert became(house, house.event("ann", "offered")) == becomes


def test_a_transactional_message_goes_at_any_hour(house, hour):
    hour.set("15 23:00:00")
    assert became(house, house.event("ann", "booked")) == "submitting"


def test_it_is_night_where_the_person_is(house, hour):
    hour.set("15 22:00:00")
    assert became(house, house.event("bob", "offered")) == "submitting", "five in New York"
    hour.set("16 03:00:00")
    assert became(house, house.event("bob", "offered")) == "waiting quiet_hours", "ten"
    house.take({"type": "user", "user": "bob", "properties": {"timezone": "Asia/Tokyo"}})
    assert became(house, house.event("bob", "offered")) == "submitting", "noon: the app knows better than the number"


def test_a_message_that_would_be_too_late_by_morning_is_suppressed_at_once(house, hour):
    hour.set("15 21:59:59")
    one = house.event("ann", "offered", {"n": 1})
    hour.set("15 20:00:00")
    furnish(house, "{quiet_from: '19:30'}", OFFER.replace("12h", "11h"))
    house.claimed.clear()
    two = house.event("ann", "offered", {"n": 2})
    assert became(house, one) == "waiting quiet_hours", "eleven hours and a second before eight"
    assert became(house, two) == "suppressed quiet_hours" and not house.claimed
    assert reason(house) == (
        "quiet_hours: It was 20:00 (Europe/Dublin), and quiet until 08:00; it had to be sent by 07:00."
    )
    assert house.events("ann")[-1] == "message.suppressed"


def test_a_message_that_is_still_in_time_on_the_second_goes(house, hour):
    hour.set("15 21:00:00")
    furnish(house, "{}", OFFER.replace("12h", "11h"))
    one = house.event("ann", "offered")
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, one) == "submitting"


def test_a_fallback_rule_hears_of_a_message_that_the_night_stopped(house, hour):
    rule = '  - key: fallback\n    state: "on"\n    triggers: [message.suppressed]\n    actions: [{action: event.emit, name: told}]\n'
    furnish(house, "{}", OFFER.replace("12h", "1h"), rule)
    hour.set("15 23:00:00")
    house.event("ann", "offered")
    assert house.events("ann")[-2:] == ["message.suppressed", "told"]


def test_a_message_that_waited_into_the_night_waits_on_until_morning(house, hour):
    inactive = TWILIO.replace("twilio:\n", "twilio:\n    state: inactive\n")
    furnish(house, "{}", OFFER, adaptors=inactive)
    hour.set("15 20:30:00")
    offered, booked = house.event("ann", "offered"), house.event("ann", "booked")
    short = house.event("bob", "booked")
    assert {became(house, one) for one in (offered, booked, short)} == {"waiting"}
    hour.set("15 21:30:00")
    furnish(house, "{}", OFFER)
    house.do(Sweep())
    assert became(house, offered) == "waiting quiet_hours" and became(house, booked) == "submitting"
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, offered) == "submitting"


def test_and_one_that_would_be_too_late_by_then_is_suppressed_when_its_turn_comes(house, hour):
    inactive = TWILIO.replace("twilio:\n", "twilio:\n    state: inactive\n")
    short = OFFER.replace("12h", "4h")
    furnish(house, "{}", short, adaptors=inactive)
    hour.set("15 20:30:00")
    offered = house.event("ann", "offered")
    hour.set("15 21:30:00")
    furnish(house, "{}", short)
    house.do(Sweep())
    assert became(house, offered) == "suppressed quiet_hours" and house.events("ann")[-1] == "message.suppressed"


def test_a_retry_that_comes_due_at_night_waits_for_the_morning(house, hour):
    hour.set("15 20:59:00")
    one = house.event("ann", "offered")
    house.ended(house.claimed.pop().id, Retry("Too many requests", after=120))
    hour.set("15 21:02:00")
    house.do(Sweep())
    assert became(house, one) == "waiting quiet_hours" and not house.claimed


def test_what_is_said_while_a_message_waits_for_the_morning_holds(house, hour):
    hour.set("15 22:00:00")
    stopped, left = house.event("ann", "offered"), house.event("bob", "offered")
    hour.set("16 03:30:00")
    night = house.event("bob", "offered")
    stop = Reply(
        provider_id="SMreply", address=ANN, sender=SENDER, scopes=(SENDER,), body="STOP", consent="opted_out", properties={}
    )  # fmt: skip
    house.do(Reports("twilio", [stop]))
    house.take({"type": "consent", "user": "bob", "category": "promotional", "state": "opted_out"})
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, stopped) == "suppressed opted_out"
    hour.set("16 13:00:00")
    house.do(Sweep())
    assert became(house, left) == "submitting" and became(house, night) == "suppressed no_consent"
    assert [one.recipient for one in house.claimed] == [BOB]


def test_a_person_who_travels_while_a_message_waits_is_asked_the_time_again(house, hour):
    hour.set("15 22:00:00")
    one = house.event("ann", "offered")
    house.take({"type": "user", "user": "ann", "properties": {"timezone": "America/New_York"}})
    hour.set("16 08:00:00")
    house.do(Sweep())
    assert became(house, one) == "suppressed quiet_hours", "three in New York, where morning comes too late"
    assert reason(house).startswith("quiet_hours: It was 03:00 (America/New_York), and quiet until 08:00;")


def test_a_message_that_waits_for_the_morning_survives_a_restart(house, hour):
    hour.set("15 22:00:00")
    one = house.event("ann", "offered")
    house.close()
    hour.set("16 08:00:00")
    house.open()
    house.do(Sweep())
    assert became(house, one) == "submitting"


def test_an_email_wakes_nobody_and_goes_at_night(house, hour):
    letter = OFFER.replace("twilio.send_message", "email.send").replace("user.phone_number", "user.email")
    furnish(house, "{}", letter.replace("body:", "subject: Offer, text:"), adaptors=TWILIO + EMAIL)
    hour.set("15 23:00:00")
    assert became(house, house.event("ann", "offered")) == "submitting"


def test_the_policy_may_hold_for_transactional_messages_and_a_rule_may_ignore_it(house, hour):
    code = RULE.replace("confirm", "code").replace("[booked]", "[asked]\n    ignore_quiet_hours: true")
    furnish(house, "{quiet_categories: [transactional]}", OFFER, code)
    hour.set("16 05:00:00")
    assert became(house, house.event("ann", "booked")) == "waiting quiet_hours"
    assert became(house, house.event("ann", "offered")) == "submitting"
    assert became(house, house.event("ann", "asked")) == "submitting"


def test_a_person_of_whom_nothing_is_known_sleeps_in_the_default_zone(house, hour):
    furnish(house, "{default_zone: Asia/Tokyo}", OFFER)
    hour.set("15 13:00:00")
    unknown = {"phone_number": "+882131234567", **OPTED_IN}
    assert became(house, house.event("eve", "offered", user_properties=unknown)) == "waiting quiet_hours"
    assert "It was 22:00 (Asia/Tokyo)" in reason(house)


def test_when_night_falls_on_many_that_wait_they_are_put_off_together(house, hour):
    slow = TWILIO.replace("messages_per_second: 0", "messages_per_second: 1")
    furnish(house, "{}", OFFER, adaptors=slow)
    hour.set("15 20:59:00")
    house.take(*[{"type": "event", "user": "ann", "name": "offered"}] * 60)
    assert house.states() == {"submitting": 1, "waiting": 59}
    before = house.writer.transactions
    hour.set("15 21:00:00")
    turn(2)  # the lane's turn has come
    house.do(Sweep())
    assert house.rows("SELECT COUNT(*) FROM store_message WHERE reason LIKE 'quiet_hours%'") == [(59,)]
    assert house.writer.transactions <= before + 3


# Caps.


def capped(inside: Inside, *rules: str, cap: int = 2, days: int = 7, more: str = "", adaptors: str = TWILIO) -> Inside:
    policy = f"{{{Q_ANY}, cap_messages: {cap}, cap_days: {days}{more}}}"
    return furnish(inside, policy, *(rules or (OFFER,)), adaptors=adaptors)


def offers(inside: Inside, *users: str, name: str = "offered") -> list[str]:
    """What becomes of an offer to each, all in one request."""
    events = inside.take(*({"type": "event", "user": user, "name": name} for user in users))
    return [became(inside, one) for one in events]


def test_of_one_request_as_many_go_as_the_cap_allows(hour, inside):
    capped(inside)
    assert offers(inside, "ann", "ann", "bob", "ann", "bob") == [
        "submitting", "submitting", "submitting", "suppressed capped", "submitting"
    ]  # fmt: skip
    assert inside.events("ann")[-1] == "message.suppressed"
    ((found,),) = inside.rows("SELECT reason FROM store_message WHERE state = 'suppressed'")
    assert found == "capped: ann was sent 2 promotional messages in the last 7 days, and the cap is 2."


def test_one_after_another_too_and_whatever_became_of_them_at_the_carrier(hour, inside):
    capped(inside)
    assert offers(inside, "ann") == ["submitting"]
    inside.submit_claimed()
    assert offers(inside, "ann") == ["submitting"]
    assert offers(inside, "ann", "bob") == ["suppressed capped", "submitting"]


def test_the_cap_counts_across_rules_and_adaptors(hour, inside):
    letter = NEWS.replace("twilio.send_message", "email.send").replace("user.phone_number", "user.email")
    capped(inside, OFFER, letter.replace("body:", "subject: News, text:"), adaptors=TWILIO + EMAIL)
    assert offers(inside, "ann") == offers(inside, "ann", name="published") == ["submitting"]
    assert offers(inside, "ann") == offers(inside, "ann", name="published") == ["suppressed capped"]


def test_the_window_slides(hour, inside):
    capped(inside, days=2)
    hour.set("15 12:00:00")
    assert offers(inside, "ann") == ["submitting"]
    hour.set("16 12:00:00")
    assert offers(inside, "ann") == ["submitting"]
    hour.set("17 11:59:59.999")
    assert offers(inside, "ann") == ["suppressed capped"]
    hour.set("17 12:00:00.001")
    assert offers(inside, "ann", "ann") == ["submitting", "suppressed capped"]


def test_transactional_messages_neither_count_nor_are_held_to_it(hour, inside):
    capped(inside, cap=1)
    assert offers(inside, "ann", "ann", name="booked") == ["submitting", "submitting"]
    assert offers(inside, "ann") == ["submitting"]
    assert offers(inside, "ann", name="booked") == ["submitting"]


def test_unless_the_policy_says_so(hour, inside):
    capped(inside, more=", cap_categories: [transactional, promotional]")
    assert offers(inside, "ann", name="booked") == offers(inside, "ann") == ["submitting"]
    assert offers(inside, "ann", name="booked") == ["suppressed capped"]
    assert "2 transactional or promotional messages" in reason(inside)


def test_what_was_not_sent_does_not_count(hour, inside):
    capped(inside, cap=1)
    inside.take({"type": "user", "user": "ann", "properties": {"phone_number": "12"}})
    assert offers(inside, "ann") == ["rejected invalid_field"]
    inside.take({"type": "user", "user": "ann", "properties": {"phone_number": ANN}})
    assert offers(inside, "ann") == ["submitting"]
    inside.ended(inside.claimed.pop().id, Rejected("No such number", blame=Blame.RECIPIENT, code="21211"))
    assert offers(inside, "ann") == ["submitting"]
    assert offers(inside, "ann") == offers(inside, "ann") == ["suppressed capped"], "nor do refusals make it worse"


def test_what_may_have_been_sent_counts(hour, inside):
    capped(inside, cap=1)
    offers(inside, "ann")
    inside.close()
    inside.open()
    assert inside.states() == {"unknown": 1}
    assert offers(inside, "ann") == ["suppressed capped"]


def test_a_message_that_waits_counts_when_it_is_claimed_and_is_then_held_to_the_cap(hour, inside):
    inactive = TWILIO.replace("twilio:\n", "twilio:\n    state: inactive\n")
    capped(inside, adaptors=inactive)
    assert offers(inside, "ann", "ann", "ann") == ["waiting"] * 3
    capped(inside)
    inside.do(Sweep())
    assert sorted(row[0] for row in inside.messages("state")) == ["submitting", "submitting", "suppressed"]


def test_a_retry_is_not_held_up_by_itself(hour, inside):
    capped(inside, cap=1)
    offers(inside, "ann")
    inside.ended(inside.claimed.pop().id, Retry("Too many requests", after=60))
    hour.now += 120 * clock.SECOND
    inside.do(Sweep())
    assert inside.states() == {"submitting": 1}


def test_what_the_same_transaction_says_was_not_sent_does_not_count(hour, inside):
    """The database still calls it `submitting` when the next offer asks."""
    capped(inside, cap=1)
    offers(inside, "ann")
    refused = Attempted(
        message=inside.claimed.pop().id, adaptor="twilio", number=1, outcome=Rejected("No", blame=Blame.RECIPIENT),
        started_at=hour.now, ended_at=hour.now,
    )  # fmt: skip
    queued = threading.Event()

    async def release() -> None:
        queued.set()

    before = inside.writer.transactions
    do = inside.writer.do
    offer = inside.calling("POST", "/v1/events", b'{"type": "event", "user": "ann", "name": "offered"}')
    inside.gather([do(Edit(lambda: queued.wait(30))), do(Record(refused)), offer, release()])
    assert inside.writer.transactions <= before + 2, "the last two in one"
    assert inside.states() == {"rejected": 1, "submitting": 1}


def test_messages_that_reach_nobody_neither_count_nor_are_held_to_it(hour, inside):
    hook = '\n  - key: hook\n    state: "on"\n    category: promotional\n    triggers: [offered]\n    actions: [{action: webhook.request, url: "https://a.example/"}]\n'
    capped(inside, OFFER, hook, cap=2, adaptors=TWILIO + "  webhook: {}\n")
    for _ in range(3):
        inside.event("ann", "offered")
    assert [state for adaptor, state in inside.messages("adaptor, state") if adaptor == "webhook"] == ["submitting"] * 3
    texts = [state for adaptor, state in inside.messages("adaptor, state") if adaptor == "twilio"]
    assert texts == ["submitting", "submitting", "suppressed"]


def test_a_message_that_waits_for_the_morning_takes_no_place_under_the_cap(hour, inside):
    furnish(inside, "{cap_messages: 1}", OFFER)
    hour.set("15 22:00:00")
    assert offers(inside, "ann", "ann") == ["waiting quiet_hours"] * 2
    hour.set("16 08:00:00")
    inside.do(Sweep())
    assert sorted(row[0] for row in inside.messages("state")) == ["submitting", "suppressed"]


# What it costs.


@contextmanager
def listening(inside: Inside, monkeypatch: pytest.MonkeyPatch):
    """The statements that the writer runs meanwhile."""
    heard: list[str] = []

    def note(execute, sql, params, many, context):
        heard.append(sql)
        return execute(sql, params, many, context)

    run = written._run
    with monkeypatch.context() as patched:
        patched.setattr(written, "_run", lambda sql, values: (heard.append(sql), run(sql, values)))
        inside.do(Edit(lambda: connection.execute_wrappers.append(note)))
        heard.clear()
        yield heard
        inside.do(Edit(lambda: connection.execute_wrappers.remove(note)))


def reads(inside: Inside, monkeypatch: pytest.MonkeyPatch, *items: tuple[str, str]) -> list[str]:
    with listening(inside, monkeypatch) as heard:
        inside.take(*({"type": "event", "user": user, "name": name} for user, name in items))
    return [
        sql
        for sql in heard
        if re.match(r"\s*(SELECT|WITH)", sql) and "store_setting" not in sql and "store_eventname" not in sql
    ]


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

    def note(execute, sql, params, many, context):
        if "RECURSIVE" in sql:
            asked.append((sql, list(params)))
        return execute(sql, params, many, context)

    inside.do(Edit(lambda: connection.execute_wrappers.append(note)))
    inside.event("ann", "offered")
    inside.do(Edit(lambda: connection.execute_wrappers.remove(note)))
    inside.execute(
        "UPDATE store_message SET state = 'canceled' WHERE state IN ('submitting', 'suppressed') AND user_id = 'ann'"
    )
    ((sql, values),) = asked
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    with closing(sqlite3.connect(inside.path)) as file:
        plan = file.execute(f"EXPLAIN QUERY PLAN {sql.replace('%s', '?')}", values).fetchall()
        assert any("USING INDEX message_user (user_id=? AND seq>?)" in row[3] for row in plan), plan
        assert not [row[3] for row in plan if row[3].startswith("SCAN store_")], plan
        file.set_progress_handler(step, 10)
        file.execute(sql.replace("%s", "?"), values).fetchall()
    return steps


# The policy itself.


def test_the_policy_of_a_file_reaches_a_running_oncue_and_the_same_file_twice_changes_nothing(house, hour):
    hour.set("15 22:00:00")
    assert became(house, house.event("ann", "offered")) == "waiting quiet_hours"
    text = "policy: {quiet_from: '22:30', cap_messages: 1}"
    document, _ = read_document(text, "rules.yaml", house.catalogue, {})

    def changes(dry: bool) -> list[str]:
        found = applying.apply(document, house.catalogue, house.vault, by="ann", found={}, dry=dry)
        return [f"{one.verb} {one.kind} {one.name}" for one in found]

    assert changes(dry=True) == changes(dry=False) == ["changed policy quiet_from, cap_messages"]
    assert changes(dry=False) == []
    assert read_policy() == document.policy
    connection.close()
    assert became(house, house.event("ann", "offered")) == "submitting"
    house.apply("rules: []")
    assert house.rows("SELECT value FROM store_setting WHERE name = 'policy'") != [], (
        "a file without the section leaves it"
    )


def test_saving_a_policy_says_whether_it_is_another_and_who_it_was(house):
    def save(policy: Policy) -> bool:
        with transaction.atomic():
            return save_policy(policy, "ann@example.com")

    assert save(Policy(cap_messages=3)) and not save(Policy(cap_messages=3))
    ((_, before, after),) = house.rows(
        "SELECT by, before, after FROM store_audit WHERE name = 'policy' AND by LIKE 'ann%'"
    )
    connection.close()
    assert '"cap_messages":0' in before and '"cap_messages":3' in after


@pytest.mark.parametrize("saved", ["not JSON", '{"quiet_categories": ["marketing"]}'])
def test_a_saved_policy_that_cannot_be_read_is_the_usual_one(house, hour, saved, caplog):
    house.execute("UPDATE store_setting SET value = ? WHERE name = 'policy'", saved)
    house.execute("INSERT INTO store_setting (name, value) VALUES ('policy', ?) ON CONFLICT DO NOTHING", saved)
    house.execute("UPDATE store_setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'config_version'")
    hour.set("15 22:00:00")
    assert became(house, house.event("ann", "offered")) == "waiting quiet_hours"
    assert "cannot be read" in caplog.text


def test_oncue_test_says_that_it_would_wait(house, hour, capsys):
    document, _ = read_document(KEYS + TWILIO + "rules:" + OFFER, "rules.yaml", house.catalogue, {})
    (spec,) = document.rules
    action = house.catalogue["twilio"].action("send_message")
    user = User(id="ann", properties={})
    fields = {"to": ANN, "body": "Hi"}
    prepared = action.prepare({"default_sender": SENDER}, fields, {})

    def told(policy: Policy | None) -> str:
        _tell_hour(Document(policy=policy), spec, action, prepared, user)
        return " ".join(capsys.readouterr().out.split())

    hour.set("15 22:00:00")
    assert told(Policy()) == told(None) == "would wait until 08:00 (Europe/Dublin)"
    assert told(Policy(quiet_categories=(Category.TRANSACTIONAL,))) == ""
    assert "would not be sent now: It was 22:00 (Europe/Dublin), and quiet until 13:00" in told(
        Policy(quiet_to="13:00")
    )
    hour.set("15 12:00:00")
    assert told(Policy()) == ""
    connection.close()


def test_every_field_of_the_policy_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "reference" / "rules-file.md").read_text()
    assert all(f"`{field.name}`" in text for field in FIELDS)
    assert tuple(field.name for field in FIELDS) == Policy.__struct_fields__
