"""What a rule would have done is what the rule does, told without doing anything, and without looking at more than is said."""

from __future__ import annotations

import pytest

from inside import KEYS, TWILIO, Inside
from oncue.core import clock
from oncue.rules.compile import Compiled, compile_rule
from oncue.rules.document import read_document
from oncue.store import backtest
from oncue.store.backtest import Backtest

RULE = """
rules:
  - key: offer
    name: An offer
    state: "off"
    category: promotional
    triggers: [booked]
    conditions: [event.n >= 2]
    actions: [{action: twilio.send_message, body: "Booked {{ event.n }}, {{ user.first_name }}", to: "{{ user.phone_number }}"}]
"""


def compiled(inside: Inside, text: str = RULE) -> Compiled:
    document, faults = read_document(text, "rules.yaml", inside.catalogue, {})
    assert not faults and document.rules
    found = compile_rule(document.rules[0], inside.catalogue)
    assert isinstance(found, Compiled)
    return found


def replay(inside: Inside, text: str = RULE, **more: object) -> Backtest:
    return backtest.backtest(compiled(inside, text), inside.writer.snapshot, since=clock.now() - 7 * clock.DAY, **more)  # type: ignore[arg-type]


@pytest.fixture
def booked(inside: Inside) -> Inside:
    """Ann, who opted in, and Bob, who did not, have booked; so has somebody without a name."""
    inside.apply(KEYS + TWILIO)
    number = "+1500555100{}"
    for index, (user, more) in enumerate({"ann": {"first_name": "Ann", "consent_promotional": True}, "bob": {"first_name": "Bob"}, "cy": {"consent_promotional": True}}.items()):  # fmt: skip
        inside.take({"type": "user", "user": user, "properties": {"phone_number": number.format(index + 1), **more}})
    for n in (1, 2, 3):
        for user in ("ann", "bob", "cy"):
            inside.take({"type": "event", "user": user, "name": "booked", "properties": {"n": n}})
    inside.take({"type": "event", "user": "ann", "name": "other", "properties": {}})
    return inside


def test_each_reason_is_counted_and_nothing_happens(booked: Inside):
    before = booked.rows("SELECT COUNT(*) FROM store_message")
    found = replay(booked)
    assert (found.looked_at, found.evaluated, found.matched) == (12, 9, 6)  # and two have opted in
    assert found.not_matched == {"event.n >= 2 did not hold": 3}
    assert (found.sends, found.people, found.segments) == (2, 1, 2)
    assert {sentence[:25]: count for sentence, count in found.refused.items()} == {
        "The person has not opted ": 2,
        "A field had no value for ": 2,
    }
    assert found.complete and not found.why
    texts = [one.text for one in found.samples if one.outcome == "sends"]
    assert texts == ["Booked 3, Ann", "Booked 2, Ann"]
    assert booked.rows("SELECT COUNT(*) FROM store_message") == before


def test_it_looks_no_further_than_it_says(booked: Inside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backtest, "LOOKED_AT", 4)
    found = replay(booked)
    assert (found.looked_at, found.evaluated, found.complete) == (4, 3, False)
    assert "newest 4 events" in found.why
    monkeypatch.undo()
    monkeypatch.setattr(backtest, "EVALUATED", 5)
    found = replay(booked)
    assert (found.evaluated, found.complete) == (5, False)
    assert replay(booked, within=-1).why == "It was ended after -1 seconds."


def test_what_is_older_is_left_out(booked: Inside):
    found = backtest.backtest(compiled(booked), booked.writer.snapshot, since=clock.now() + clock.DAY)
    assert (found.looked_at, found.evaluated) == (0, 0)


def test_windows_and_pages_miss_nothing(booked: Inside, monkeypatch: pytest.MonkeyPatch):
    whole = replay(booked)
    monkeypatch.setattr(backtest, "_WINDOW", 3)
    monkeypatch.setattr(backtest, "_PAGE", 1)
    found = replay(booked)
    kept = ("looked_at", "evaluated", "matched", "sends", "refused", "not_matched", "people")
    assert [getattr(found, name) for name in kept] == [getattr(whole, name) for name in kept]


def test_an_opt_out_by_number_counts(booked: Inside):
    sql = "INSERT INTO store_optout (address, scope, source, at, lifted_by) VALUES ('+15005551001', '+15005550006', 'reply STOP', 1, '')"
    booked.execute(sql)
    found = replay(booked)
    assert found.sends == 0
    assert any("opted out of messages from this sender" in sentence for sentence in found.refused)
