"""A rule that is off may be a draft, with faults: a file says so by `state: off`, as the builder's switch does."""

import pytest

from oncue.adaptors import load
from oncue.rules.compile import compile_rule
from oncue.rules.document import Document, read_document, write_document
from oncue.rules.spec import ActionSpec, RuleSpec, RuleState

CATALOGUE = load()

DRAFTS = [
    RuleSpec(key="empty", name="Empty", triggers=(), actions=()),
    RuleSpec(
        key="half",
        name="Half",
        triggers=("booked",),
        conditions=("event.amount >",),
        actions=(ActionSpec(action="twilio.send_message", fields={"to": "{{ user.phone_number", "body": ""}),),
        send_within="soon",
    ),
    RuleSpec(
        key="gone", name="Gone", triggers=("booked",), actions=(ActionSpec(action="fax.send", fields={"to": "1"}),)
    ),
    RuleSpec(
        key="environment",
        name="Environment",
        triggers=("booked",),
        actions=(ActionSpec(action="event.emit", fields={"name": "x", "properties": {"a": ["${env:HOME}"]}}),),
    ),
]


@pytest.mark.parametrize("spec", DRAFTS, ids=lambda spec: spec.key)
def test_a_draft_that_is_exported_is_read_back_and_its_faults_are_said_with_their_lines(spec: RuleSpec):
    faults = compile_rule(spec, CATALOGUE)
    assert isinstance(faults, list)
    document, wrong = read_document(write_document(Document(rules=[spec])), "rules.yaml", CATALOGUE, {})
    assert not wrong
    assert document.rules == [spec]
    assert {fault.sentence for fault in document.drafts} == {fault.sentence for fault in faults}
    assert all(fault.line > 1 for fault in document.drafts)


@pytest.mark.parametrize("state", [RuleState.TEST, RuleState.ON])
@pytest.mark.parametrize("spec", DRAFTS, ids=lambda spec: spec.key)
def test_a_rule_that_is_to_act_has_no_faults(spec: RuleSpec, state: RuleState):
    text = write_document(Document(rules=[spec])).replace("state: 'off'", f"state: '{state.value}'")
    document, wrong = read_document(text, "rules.yaml", CATALOGUE, {})
    assert wrong and not document.drafts


def test_a_rule_that_says_no_state_is_held_to_be_meant():
    _, wrong = read_document("rules: [{key: half, triggers: [booked]}]", "rules.yaml", CATALOGUE, {})
    assert [fault.sentence for fault in wrong] == ["A rule needs at least one action."]


def test_what_a_rule_cannot_hold_is_refused_of_a_draft_too():
    _, wrong = read_document("rules: [{key: A b, state: off, triggers: [x], colour: red}]", "f", CATALOGUE, {})
    assert len(wrong) == 2
