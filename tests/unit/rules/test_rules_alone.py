"""A rule that stands alone, as JSON says it: read as the file's rules are, with the same sentences, and paths in place of lines."""

from __future__ import annotations

from oncue import adaptors
from oncue.core.message import Category
from oncue.rules.document import read_document, read_rule
from oncue.rules.nodes import from_json
from oncue.rules.spec import RuleState

CATALOGUE = adaptors.load()
RULE = {
    "key": "booking",
    "name": "Booking",
    "state": "on",
    "category": "transactional",
    "triggers": ["booked"],
    "conditions": ["event.amount >= 10", {"any": ['user.country == "IE"', {"not": "user.vip exists"}]}],
    "actions": [
        {"action": "email.send", "to": "{{ user.email }}", "subject": "Yes", "text": "on"},
        {
            "action": "webhook.request",
            "url": "https://example.com",
            "json": {"n": 1, "x": [True, None, 1.5, "1"], "no": None},
        },
    ],
    "send_within": "2h",
    "ignore_quiet_hours": True,
}


def test_it_is_the_rule_that_the_file_would_make():
    spec, faults = read_rule(RULE, CATALOGUE)
    assert not faults
    assert (spec.state, spec.category, spec.send_within, spec.ignore_quiet_hours) == (
        RuleState.ON, Category.TRANSACTIONAL, "2h", True,
    )  # fmt: skip
    assert spec.actions[0].fields["text"] == "on"
    assert spec.actions[1].fields["json"] == {"n": 1, "x": [True, None, 1.5, "1"], "no": None}
    text = """
rules:
  - key: booking
    name: Booking
    state: on
    category: transactional
    triggers: [booked]
    conditions: [event.amount >= 10, {any: ['user.country == "IE"', {not: user.vip exists}]}]
    actions:
      - {action: email.send, to: "{{ user.email }}", subject: Yes, text: on}
      - {action: webhook.request, url: https://example.com, json: {n: 1, x: [true, null, 1.5, "1"], no: null}}
    send_within: 2h
    ignore_quiet_hours: true
"""
    document, wrong = read_document(text, "rules.yaml", CATALOGUE, {})
    assert not wrong and document.rules == [spec]


def test_every_fault_has_its_path_and_the_sentence_of_the_file():
    given = {**RULE, "key": "A b", "send_within": 5, "colour": "red", "category": "spam"}
    given["actions"] = [{"action": "email.send", "to": "{{ user.email", "text": "x"}, {"action": "fax.send"}, "no"]
    _, faults = read_rule(given, CATALOGUE)
    assert {fault.field for fault in faults} == {
        "key", "send_within", "colour", "category", "actions[0].to", "actions[0].subject", "actions[1].action", "actions[2]",
    }  # fmt: skip
    _, wrong = read_document("rules: [{key: A b, triggers: [x], actions: []}]", "f", CATALOGUE, {})
    assert next(one.sentence for one in wrong if "key" in one.sentence) == next(
        one.sentence for one in faults if one.field == "key"
    )


def test_null_says_nothing():
    spec, faults = read_rule({**RULE, "name": None, "send_within": None, "conditions": None}, CATALOGUE)
    assert not faults
    assert (spec.name, spec.send_within, spec.conditions) == ("booking", "4h", ())


def test_the_environment_stays_out_of_it():
    given = {**RULE, "actions": [{**RULE["actions"][0], "subject": "${env:SECRET}"}]}  # type: ignore[index]
    _, faults = read_rule(given, CATALOGUE)
    assert [fault.field for fault in faults] == ["actions[0].subject"]


def test_scalars_are_as_a_person_writes_them():
    assert from_json([True, 1.0, 2, None, "on"]) == ["true", "1", "2", "", "on"]
