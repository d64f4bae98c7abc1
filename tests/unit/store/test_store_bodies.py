"""Bodies: what messages and replies say is gone when members want it gone, here and at the provider, and nothing else is."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import msgspec
import pytest
from django.db import connection

from inside import KEYS, TWILIO, Inside, turn
from oncue.core.adaptor import Reply, Status
from oncue.core.message import redacted_on
from oncue.core.outcome import Blame, Rejected, Submitted, Unknown
from oncue.store import bodies, retention
from oncue.store.bodies import Redact
from oncue.store.jobs import Edit, Record, Reports
from oncue.store.refusal import Refused
from oncue.store.resend import Resend
from oncue.store.results import Attempted
from oncue.store.retention import Retention
from oncue.workers import janitor
from oncue.workers.janitor import Janitor

DAY = 86_400
SAID, WROTE = "canary-said-by-us", "canary-written-to-us"
ANN = "+15005551001"
PICTURE = "https://example.com/canary-said-by-us.jpg"
RULES = (
    KEYS
    + TWILIO
    + """
rules:
  - key: confirm
    name: Booking confirmation
    state: "on"
    category: transactional
    triggers: [booked]
    actions: [{action: twilio.send_message, body: "Booked {{ event.what | default: 'it' }}", to: "{{ user.phone_number }}", media_urls: ["https://example.com/{{ event.what | default: 'it' }}.jpg"]}]
  - key: answer
    name: Answer
    state: "on"
    category: transactional
    triggers: [twilio.received]
    conditions: ['event.body != "nothing"']
    actions:
      - {action: twilio.send_message, body: "You wrote: {{ event.body }}", to: "{{ event.from }}"}
      - {action: event.emit, name: wrote_back, properties: {quote: "they wrote {{ event.body }}"}}
"""
)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(janitor, "PAUSE_FOR", 0)


@pytest.fixture
def said(inside: Inside) -> Inside:
    """Something was said and delivered, and something written back, which was answered."""
    inside.apply(RULES)
    say(inside, SAID)
    reply = {
        "body": WROTE,
        "from": ANN,
        "to": "+15005550006",
        "message_sid": "SMreply",
        "media_urls": [f"https://x.example/{WROTE}"],
    }
    inside.do(
        Reports(
            "twilio",
            [Reply(provider_id="SMreply", address=ANN, sender="+15005550006", scopes=(), body=WROTE, properties=reply)],
        )
    )
    for one in inside.submit_claimed():
        inside.do(Reports("twilio", [Status(provider_id=f"SM{one}", status="delivered", raw={"To": ANN})]))
    return inside


def say(inside: Inside, what: str) -> str:
    inside.event("ann", "booked", {"what": what}, user_properties={"phone_number": ANN})
    (one,) = inside.claimed
    inside.claimed.clear()
    exchange = msgspec.json.encode([{"method": "POST", "url": "https://api", "request_body": f"Body={what}"}]).decode()
    outcome = Submitted(provider_id=f"SM{one.id}", status="queued")
    inside.do(
        Record(
            Attempted(
                message=one.id, adaptor="twilio", number=1, outcome=outcome, exchange=exchange, started_at=1, ended_at=2
            )
        )
    )
    inside.do(Reports("twilio", [Status(provider_id=f"SM{one.id}", status="delivered", raw={"To": ANN})]))
    return one.id


def redact(inside: Inside, days: int = 1) -> None:
    inside.do(Edit(lambda: retention.save_retention(Retention(bodies=days), "a test")))
    inside.run(Janitor(inside.writer).forget())


def found(inside: Inside, text: str, *but: str) -> list[str]:
    """Tables where the text stands."""
    tables = [
        name for (name,) in inside.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'store_%'")
    ]
    return [
        one for one in tables if one not in but and any(text in str(row) for row in inside.rows(f"SELECT * FROM {one}"))
    ]


def test_what_was_said_is_gone_everywhere_and_that_it_was_said_stays(said: Inside):
    columns = "id, state, carrier_status, recipient, sender, rule, provider_id, created_at, updated_at, attempts"
    before = said.messages(columns)
    attempts = said.rows("SELECT number, outcome, started_at, ended_at FROM store_attempt ORDER BY seq")
    assert {"store_message", "store_attempt", "store_reply", "store_event", "store_decision"} <= {
        *found(said, SAID),
        *found(said, WROTE),
    }
    turn(2 * DAY)
    redact(said)
    # What the app itself sent is an event's, and is kept as long as events are.
    assert found(said, SAID) == ["store_event", "store_eventname"]
    assert {name for (name, properties) in said.rows("SELECT name, properties FROM store_event") if SAID in properties} <= {
        "booked", "twilio.queued", "twilio.sent", "twilio.delivered"
    }  # fmt: skip
    assert found(said, WROTE) == []
    assert said.messages(columns) == before
    assert said.rows("SELECT number, outcome, started_at, ended_at FROM store_attempt ORDER BY seq") == attempts
    for (fields,) in said.messages("fields"):
        left = msgspec.json.decode(fields)
        assert redacted_on(left).startswith("[redacted on 20") and left.keys() == {"$redacted_at", "$segments"}, left
    assert [body[:13] for (body,) in said.rows("SELECT body FROM store_reply")] == ["[redacted on "]
    ((properties,),) = said.rows("SELECT properties FROM store_event WHERE name = 'twilio.received'")
    kept = msgspec.json.decode(properties)
    assert (kept["from"], kept["message_sid"], kept["media_urls"]) == (ANN, "SMreply", [])
    assert said.rows(
        "SELECT 1 FROM store_decision WHERE trace LIKE '%event.body != \"nothing\"%' OR trace LIKE '%event.body%'"
    )


def test_the_provider_is_asked_to_forget_each_once(said: Inside):
    turn(2 * DAY)
    redact(said)
    redact(said)
    sids = sorted(one for (one,) in said.messages("provider_id"))
    assert [one for (one,) in said.rows("SELECT provider_id FROM store_copy ORDER BY provider_id")] == sorted(
        [*sids, "SMreply"]
    )
    assert said.writer.totals["redacted", "message"] == 2 and said.writer.totals["redacted", "reply"] == 1


def test_what_is_younger_stays_and_off_is_off(said: Inside):
    before = said.messages("fields")
    turn(2 * DAY)
    say(said, "younger")
    said.run(Janitor(said.writer).forget())
    assert said.messages("fields")[:2] == before, "nobody wants it gone"
    redact(said)
    assert ["$redacted_at" in fields for (fields,) in said.messages("fields")] == [True, True, False]


def test_what_is_not_finished_keeps_its_words_until_it_is(said: Inside):
    said.event("bob", "booked", {"what": "in-doubt"}, user_properties={"phone_number": "+15005551002"})
    (doubtful,) = said.claimed
    said.ended(doubtful.id, Unknown("lost"))
    turn(3 * DAY)
    redact(said)
    assert msgspec.json.decode(said.messages("fields")[-1][0])["body"] == "Booked in-doubt"
    assert len(bodies_open(said)) == 1
    redact(said)
    assert len(bodies_open(said)) == 1, "it is noted once"
    said.do(Reports("twilio", [Status(message_id=doubtful.id, provider_id="SMlate", status="delivered", raw={})]))
    redact(said)
    assert "Booked" not in said.messages("fields")[-1][0] and bodies_open(said) == []
    assert said.rows("SELECT 1 FROM store_copy WHERE provider_id = 'SMlate'")


def bodies_open(inside: Inside) -> list[int]:
    ((value,),) = inside.rows("SELECT value FROM store_setting WHERE name = 'bodies_redacted'")
    return msgspec.json.decode(value, type=bodies.Place).open


def test_with_too_many_unfinished_it_waits_for_them(said: Inside, monkeypatch):
    monkeypatch.setattr(bodies, "MOST_OPEN", 1)
    said.event("bob", "booked", {"what": "in-doubt"}, user_properties={"phone_number": "+15005551002"})
    said.ended(said.claimed.pop().id, Unknown("lost"))
    turn(3 * DAY)
    redact(said)
    say(said, "later")
    turn(3 * DAY)
    redact(said)
    assert "later" in said.messages("fields")[-1][0]


def test_a_refusal_that_quotes_the_message_does_so_no_more(inside: Inside):
    inside.apply(RULES)
    inside.event("ann", "booked", {"what": SAID}, user_properties={"phone_number": ANN})
    reason = f"A media URL is not valid. (Twilio 21620: Invalid media URL(s): {PICTURE})"
    inside.ended(inside.claimed.pop().id, Rejected(reason, Blame.MESSAGE, "21620"))
    assert {"store_message", "store_attempt", "store_event"} <= set(found(inside, PICTURE))
    turn(2 * DAY)
    redact(inside)
    assert found(inside, PICTURE) == []
    ((said, code),) = inside.messages("reason, error_code")
    assert (
        said.startswith("A media URL is not valid. (Twilio 21620: Invalid media URL(s): [redacted on")
        and code == "21620"
    )


def test_a_short_reply_is_taken_away_and_no_status_that_reads_like_it(inside: Inside):
    inside.apply(RULES)
    say(inside, "x")
    body = "sent"
    properties = {"body": body, "from": ANN, "to": "+15005550006", "message_sid": "SMreply", "media_urls": []}
    inside.do(
        Reports(
            "twilio",
            [
                Reply(
                    provider_id="SMreply",
                    address=ANN,
                    sender="+15005550006",
                    scopes=(),
                    body=body,
                    properties=properties,
                )
            ],
        )
    )
    (answer,) = inside.submit_claimed()
    inside.do(Reports("twilio", [Status(provider_id=f"SM{answer}", status="sent", raw={"MessageStatus": "sent"})]))
    turn(2 * DAY)
    redact(inside)
    ((kept, raw),) = inside.rows(
        "SELECT properties, raw FROM store_event WHERE name = 'twilio.sent' AND root IN (SELECT id FROM store_event WHERE name = 'twilio.received')"
    )
    kept = msgspec.json.decode(kept)
    assert kept["status"] == "sent" and kept["trigger"]["body"].startswith("[redacted on") and '"sent"' in raw
    ((trace,),) = inside.rows("SELECT trace FROM store_decision WHERE rule = 'answer'")
    assert '"seen":"[redacted on' in trace


def test_what_was_redacted_is_not_sent_again(said: Inside):
    turn(2 * DAY)
    redact(said)
    ((one,),) = said.rows("SELECT id FROM store_message ORDER BY seq LIMIT 1")
    with pytest.raises(Refused, match="redacted"):
        said.do(Resend(message=one, number=0, by="ann", reason="why not", force=True))


def test_what_was_redacted_is_not_taken_for_another_s(said: Inside):
    """A callback of long ago, for a message that was in doubt, names what was bound to one that has no words any more."""
    ((bound, sid),) = said.rows("SELECT id, provider_id FROM store_message ORDER BY seq LIMIT 1")
    said.event("bob", "booked", {"what": "in-doubt"}, user_properties={"phone_number": "+15005551002"})
    doubtful = said.claimed.pop().id
    said.ended(doubtful, Unknown("lost"))
    turn(3 * DAY)
    redact(said)
    said.do(Reports("twilio", [Status(message_id=doubtful, provider_id=sid, status="delivered", raw={})]))
    assert said.rows("SELECT state FROM store_message WHERE id = ?", bound) == [("accepted",)], (
        "it would be sent, without a word"
    )


def test_a_job_of_the_same_transaction_does_not_write_the_words_back(inside: Inside):
    inside.apply(RULES)
    inside.event("ann", "booked", {"what": SAID}, user_properties={"phone_number": ANN})
    one = inside.claimed.pop().id
    inside.ended(one, Rejected(f"Invalid media URL(s): {PICTURE}", Blame.MESSAGE, "21620"))
    turn(2 * DAY)
    inside.do(Edit(lambda: retention.save_retention(Retention(bodies=1), "a test")))
    late = Reports("twilio", [Status(message_id=one, provider_id="SMx", status="failed", raw={})])
    inside.gather(
        [inside.writer.do(late), inside.writer.do(Redact(older_than=1 << 60, open=True)), inside.writer.do(late)]
    )
    assert found(inside, PICTURE) == []


def test_nothing_is_deleted_before_the_provider_was_asked_to_forget_it(said: Inside):
    turn(50 * DAY)
    said.do(Edit(lambda: retention.save_retention(Retention(bodies=40, messages=40), "a test")))
    said.do(Edit(lambda: retention.forget("messages", 0, 1 << 60)))
    assert len(said.messages()) == 2, "not before its turn"
    said.run(Janitor(said.writer).forget())
    assert said.messages() == [] and said.rows("SELECT COUNT(*) FROM store_copy") == [(3,)]


def test_what_was_not_finished_when_its_turn_came_is_not_deleted_before_it_is_redacted(said: Inside):
    said.event("bob", "booked", {"what": "in-doubt"}, user_properties={"phone_number": "+15005551002"})
    doubtful = said.claimed.pop().id
    said.ended(doubtful, Unknown("lost"))
    turn(50 * DAY)
    said.do(Edit(lambda: retention.save_retention(Retention(bodies=40, messages=40), "a test")))
    said.run(Janitor(said.writer).forget())
    said.do(Reports("twilio", [Status(message_id=doubtful, provider_id="SMlate", status="delivered", raw={})]))
    said.do(Edit(lambda: retention.forget("messages", 0, 1 << 60)))
    assert [one for (one,) in said.messages("id")] == [doubtful]
    said.run(Janitor(said.writer).forget())
    assert said.messages() == [] and said.rows("SELECT 1 FROM store_copy WHERE provider_id = 'SMlate'")


@pytest.mark.parametrize(
    ("given", "faulty"),
    [({"bodies": "1"}, []), ({"bodies": "0"}, []), ({"bodies": "3651"}, ["bodies"]), ({"bodies": "50", "messages": "40"}, ["bodies"]),
     ({"bodies": "40", "messages": "40"}, [])],
)  # fmt: skip
def test_bodies_go_after_a_day_at_the_earliest_and_no_later_than_messages(given: dict[str, str], faulty: list[str]):
    assert [one.field for one in retention.read_values(given)[1]] == faulty


def test_hundreds_are_redacted_a_bounded_number_at_a_time_by_index(said: Inside, monkeypatch):
    monkeypatch.setattr(bodies, "MOST", 2)
    for one in range(5):
        say(said, f"number-{one}")
    turn(2 * DAY)
    before = said.writer.transactions
    statements: set[str] = set()

    def note(execute, sql, params, many, context):
        statements.add(sql)
        return execute(sql, params, many, context)

    said.do(Edit(lambda: connection.execute_wrappers.append(note)))
    redact(said)
    assert said.writer.transactions - before >= 5
    assert not any("Booked" in fields for (fields,) in said.messages("fields"))
    with closing(sqlite3.connect(said.path)) as file:
        for sql in statements:
            marks = sql.replace("%s", "?")
            if re.match("SELECT|UPDATE|DELETE|INSERT", marks):
                plan = file.execute(f"EXPLAIN QUERY PLAN {marks}", [None] * marks.count("?")).fetchall()
                assert not [step for step in plan if re.fullmatch(r"SCAN store_\w+", step[3])], sql
