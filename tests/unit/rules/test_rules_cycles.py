"""Rules that can trigger one another are allowed, and named when they are saved."""

import pytest

from oncue.adaptors import load
from oncue.rules.cycles import cycles
from oncue.rules.spec import ActionSpec, RuleSpec


def rule(key: str, triggers: str, *actions: str) -> RuleSpec:
    """`emit:NAME` raises that event; anything else is an action's full name."""
    made = [
        ActionSpec(action="event.emit", fields={"name": one[5:]})
        if one.startswith("emit:")
        else ActionSpec(action=one, fields={})
        for one in actions
    ]
    return RuleSpec(key=key, name=key, triggers=tuple(triggers.split()), actions=tuple(made))


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ([rule("a", "x", "emit:y"), rule("b", "y", "emit:z")], []),
        ([rule("a", "x", "emit:x")], [("a",)]),
        ([rule("a", "x", "emit:y"), rule("b", "y", "emit:x")], [("a", "b")]),
        ([rule("c", "x", "emit:y"), rule("a", "y", "emit:z"), rule("b", "z", "emit:x")], [("c", "a", "b")]),
        ([rule("a", "x q", "emit:y"), rule("b", "y", "emit:p", "emit:q"), rule("c", "p", "emit:r")], [("a", "b")]),
        ([rule("a", "x", "emit:x"), rule("b", "y", "emit:y"), rule("c", "x", "emit:y")], [("a",), ("b",)]),
        # what an adaptor can raise
        ([rule("a", "twilio.undelivered", "twilio.send_message")], [("a",)]),
        ([rule("a", "twilio.failed", "email.send"), rule("b", "email.failed", "twilio.send_message")], [("a", "b")]),
        ([rule("a", "message.suppressed", "email.send")], [("a",)]),
        ([rule("a", "twilio.undelivered", "email.send"), rule("b", "x", "twilio.send_message")], []),
        # a person's reply is not caused by the message, and an update raises nothing
        ([rule("a", "twilio.received", "twilio.send_message")], []),
        ([rule("a", "twilio.opted_in", "twilio.send_message")], []),
        ([rule("a", "x", "user.update")], []),
        ([rule("a", "x", "nobody.knows")], []),
        ([], []),
    ],
)
def test_a_cycle_is_named_once_by_the_keys_of_its_rules_in_order(rules, named):
    assert cycles(rules, load()) == named


def test_a_cycle_longer_than_a_chain_may_be_is_cut_before_it_closes():
    def ring(length: int) -> list[RuleSpec]:
        return [rule(f"r{i:02}", f"e{i}", f"emit:e{(i + 1) % length}") for i in range(length)]

    assert cycles(ring(10), load()) == [tuple(f"r{i:02}" for i in range(10))]
    assert cycles(ring(11), load()) == []


@pytest.mark.timeout(10)
def test_many_rules_without_a_cycle_are_looked_through_at_once():
    """Each of 30 rules triggers 30 others, ten deep: 30 to the tenth ways to go. And 10,000 rules that text and e-mail."""
    layers = [rule(f"r{i}-{j}", f"e{i}", f"emit:e{i + 1}") for i in range(12) for j in range(30)]
    assert cycles(layers, load()) == []
    texts = [rule(f"t{i}", "booked", "twilio.send_message") for i in range(5_000)]
    mails = [rule(f"m{i}", "twilio.failed", "email.send") for i in range(5_000)]
    assert cycles(texts + mails, load()) == []
    chain = [rule(f"c{i}", f"e{i}", f"emit:e{i + 1}") for i in range(10_000)]
    assert cycles(chain, load()) == []
    everything = [rule(f"x{i:03}", "x", "emit:x") for i in range(300)]
    assert cycles(everything, load()) == [(f"x{i:03}",) for i in range(20)]
