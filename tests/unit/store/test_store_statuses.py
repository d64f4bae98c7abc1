"""Statuses come late, twice, in any order and any grouping, and before our own answer: all end in one state, each event raised once.

Wild bugs 1, 6, 7, 19 and 20.
"""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from inside import Inside
from oncue.core import clock
from oncue.core.adaptor import Status
from oncue.core.outcome import Rejected, Submitted, Unknown
from oncue.store import lanes
from oncue.store.jobs import Record, Reports
from oncue.store.results import Attempted

ANN = {"phone_number": "+15005551001"}


@pytest.fixture(autouse=True)
def _room_for_all(monkeypatch):
    """Hundreds of messages under way at once."""
    monkeypatch.setattr(lanes, "SLOTS", 10_000)


def messages(inside: Inside, count: int) -> list[str]:
    """So many messages under way."""
    given = [{"type": "user", "user": f"u{n}", "properties": ANN} for n in range(count)]
    inside.take(*given)
    inside.take(*({"type": "event", "user": f"u{n}", "name": "booked"} for n in range(count)))
    made = [one.id for one in inside.claimed]
    assert len(made) == count
    return made


def status(message: str, word: str, **more) -> Status:
    """A callback."""
    word, _, code = word.partition(" ")
    text = f"Error {code}" if code else ""
    given = {"error_code": code, "error_message": text, "raw": {"MessageStatus": word}, **more}
    return Status(message_id=message, provider_id=f"SM{message}", status=word, **given)


def submitted(message: str) -> Record:
    """Our own POST has been answered."""
    outcome = Submitted(provider_id=f"SM{message}", status="queued")
    now = clock.now()
    return Record(Attempted(message=message, adaptor="twilio", number=1, outcome=outcome, started_at=now, ended_at=now))


def one_by_one(inside: Inside, all_words: dict[str, list[str]]) -> None:
    """Each report in a transaction of its own."""
    for turn in range(max(map(len, all_words.values()))):
        reports = [status(one, words[turn]) for one, words in all_words.items() if turn < len(words)]
        inside.do(Reports("twilio", reports))


def all_at_once(inside: Inside, all_words: dict[str, list[str]]) -> None:
    """All reports in one job."""
    inside.do(Reports("twilio", [status(one, word) for one, words in all_words.items() for word in words]))


def as_they_come(inside: Inside, all_words: dict[str, list[str]]) -> None:
    """A job for each report, which the writer groups as it likes."""
    works = [
        inside.writer.do(Reports("twilio", [status(one, word)])) for one, words in all_words.items() for word in words
    ]
    assert not any(inside.gather(works))


SEQUENCES = {
    "delivered": (["accepted", "queued", "sending", "sent", "delivered"], "delivered", ""),
    "undelivered": (["queued", "sent", "undelivered 30003", "undelivered"], "undelivered", "30003"),
    "failed": (["queued", "failed", "failed 30008"], "failed", "30008"),
    "read": (["sent", "delivered", "read"], "read", ""),
}


@pytest.mark.parametrize("grouped", [one_by_one, all_at_once, as_they_come])
@pytest.mark.parametrize("words", SEQUENCES)
@pytest.mark.parametrize("answered", ["before", "after", "never"])
def test_every_order_with_repeats_ends_the_same(inside, words, grouped, answered):
    sequence, last, code = SEQUENCES[words]
    orders = [[*order, *order[:2], order[-1]] for order in permutations(sequence)]
    made = messages(inside, len(orders))
    if answered == "before":
        inside.gather(inside.writer.do(submitted(one)) for one in made)
    grouped(inside, dict(zip(made, orders, strict=True)))
    if answered == "after":
        inside.gather(inside.writer.do(submitted(one)) for one in made)
    wanted = {f"twilio.{word.partition(' ')[0]}" for word in sequence}
    if answered != "never":
        wanted.add("twilio.queued")
    rows = inside.rows("SELECT id, state, carrier_status, error_code, provider_id FROM store_message")
    raised: dict[str, list[str]] = {}
    for cause, name in inside.rows("SELECT cause, name FROM store_event WHERE source = 'twilio'"):
        raised.setdefault(cause, []).append(name)
    for one, *kept in rows:
        assert kept == ["accepted", last, code, f"SM{one}"]
        assert sorted(raised[one]) == sorted(wanted)


@pytest.mark.parametrize("order", list(permutations(["delivered", "undelivered 30005", "sent"])))
def test_wild_bug_20_of_several_parts_the_worst_wins(inside, order):
    (one,) = messages(inside, 1)
    one_by_one(inside, {one: list(order)})
    assert inside.messages("carrier_status, error_code") == [("undelivered", "30005")]


def test_a_status_raises_the_event_that_the_design_fixes(inside):
    (one,) = messages(inside, 1)
    inside.do(submitted(one))
    inside.do(Reports("twilio", [status(one, "undelivered 30003", sender="+15005550006")]))
    ((user, properties, raw, cause, depth),) = inside.rows(
        "SELECT user_id, properties, raw, cause, depth FROM store_event WHERE name = 'twilio.undelivered'"
    )
    assert (user, cause, depth) == ("u0", one, 1)
    assert msgspec.json.decode(raw) == {"MessageStatus": "undelivered"}
    assert msgspec.json.decode(properties) == {
        "message_id": one,
        "rule": "confirm",
        "to": ANN["phone_number"],
        "from": "+15005550006",
        "status": "undelivered",
        "error_code": "30003",
        "error_message": "Error 30003",
        "trigger": {},
    }


def test_wild_bug_1_a_word_that_nobody_knows_is_raised_and_moves_nothing_back(inside):
    (one,) = messages(inside, 1)
    one_by_one(inside, {one: ["teleported", "sent", "teleported", "delivered", "beamed"]})
    assert inside.messages("state, carrier_status") == [("accepted", "delivered")]
    assert inside.events()[-4:] == ["twilio.teleported", "twilio.sent", "twilio.delivered", "twilio.beamed"]


def test_wild_bug_19_a_callback_before_our_own_answer_raises_the_first_status_first_and_once(inside):
    (one,) = messages(inside, 1)
    inside.do(Reports("twilio", [status(one, "sent", first_status="queued")]))
    assert inside.messages("state, carrier_status") == [("accepted", "sent")]
    inside.do(submitted(one))
    assert inside.messages("state, carrier_status, provider_id") == [("accepted", "sent", f"SM{one}")]
    assert inside.events() == ["booked", "twilio.queued", "twilio.sent"]


@pytest.mark.parametrize("outcome", [Unknown("timeout"), Rejected("no such number", code="21211")])
def test_a_callback_is_proof_of_acceptance_whatever_the_answer_says_before_or_after(inside, outcome):
    one, two = messages(inside, 2)
    if isinstance(outcome, Unknown):
        inside.ended(one, outcome)
        assert inside.rows("SELECT state FROM store_message WHERE id = ?", one) == [("unknown",)]
    one_by_one(inside, {one: ["delivered"], two: ["delivered"]})
    inside.ended(two, outcome)
    assert inside.messages("state, carrier_status") == [("accepted", "delivered")] * 2
    assert "twilio.failed" not in inside.events()


def test_a_repeat_costs_no_write(inside):
    (one,) = messages(inside, 1)
    one_by_one(inside, {one: ["sent"]})
    before = inside.messages("updated_at"), inside.events()
    one_by_one(inside, {one: ["sent"] * 3})
    assert (inside.messages("updated_at"), inside.events()) == before


def test_a_report_by_the_provider_s_id_alone_finds_its_message(inside):
    (one,) = messages(inside, 1)
    polled = msgspec.structs.replace(status(one, "delivered"), message_id="", implied=("queued", "sent"))
    inside.do(Reports("twilio", [polled]))  # before the answer nobody knows whose it is
    assert inside.messages("state") == [("submitting",)]
    inside.do(submitted(one))
    inside.do(Reports("twilio", [polled]))
    assert inside.messages("state, carrier_status") == [("accepted", "delivered")]
    assert inside.events() == ["booked", "twilio.queued", "twilio.sent", "twilio.delivered"]


def test_a_report_of_a_message_that_is_not_ours_changes_nothing(inside):
    messages(inside, 1)
    before = inside.messages("*"), inside.events()
    inside.do(Reports("twilio", [status("0" * 32, "delivered")]))
    inside.do(Reports("email", [status(inside.claimed[0].id, "delivered")]))  # another adaptor's word
    assert (inside.messages("*"), inside.events()) == before


def test_a_second_id_of_the_provider_s_for_one_message_is_loud(inside, caplog):
    (one,) = messages(inside, 1)
    inside.do(submitted(one))
    inside.do(Reports("twilio", [msgspec.structs.replace(status(one, "sent"), provider_id="SMother")]))
    assert inside.messages("provider_id") == [(f"SM{one}",)]
    assert f"message {one} is SM{one}, but a report calls it SMother" in caplog.text
