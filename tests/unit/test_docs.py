"""The documents name what there is, and only that."""

import re
from pathlib import Path

import msgspec
import pytest
import typer

from oncue import settings
from oncue.adaptors.builtin import OWN_EVENTS
from oncue.cli import app
from oncue.core.message import State
from oncue.core.reasons import Reason
from oncue.rules.conditions import OPERATORS
from oncue.rules.document import _RULE_FIELDS
from oncue.web.alerts import KINDS
from oncue.workers import heralds

ROOT = Path(__file__).parents[2]
DOCS = sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("README.md"), *ROOT.glob("*.md")])
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def test_every_setting_is_documented():
    assert set(re.findall(r"`(ONCUE_\w+)`", read("reference/settings.md"))) == set(settings.KNOWN)


def test_every_verb_of_the_command_line_is_documented():
    text = read("reference/command-line.md")
    command = typer.main.get_command(app)
    for name, verb in command.commands.items():
        assert f"`oncue {name}" in text, name
        for sub in getattr(verb, "commands", {}):
            assert f"`{sub}`" in text or f"`oncue {name} {sub}" in text, f"{name} {sub}"


def test_every_event_of_oncue_s_own_is_documented():
    for kind in OWN_EVENTS:
        assert f"`{kind.name}`" in read("reference/http.md"), kind.name


DECIDED = {"acted", "conditions_not_met", "not_a_test_user", "chain_too_deep", "chain_too_wide", "rule_fault"}
"""Reasons of decisions, which have no message."""


def test_the_states_that_are_drawn_are_those_that_are_told_of_with_every_reason_that_a_message_may_have():
    text = read("states.md")
    drawn = {(a.replace("[*]", "new"), b) for a, b in re.findall(r"^ +(\S+) --> (\w+)$", text, re.MULTILINE)}
    told = set(re.findall(r"^\| (\w+) → (\w+) \|", text, re.MULTILINE))
    assert drawn == told - {("from", "to")}
    assert {name for arrow in drawn for name in arrow} - {"new"} == {state.value for state in State}
    assert {reason.value for reason in Reason} - DECIDED <= set(re.findall(r"`(\w+)`", text))


def test_the_webhook_of_alerts_is_word_for_word_what_is_sent():
    text = read("how-to/alerts.md")
    (block,) = re.findall(r"```json\n(.+?)```", text, re.DOTALL)
    row = {
        "seq": 12,
        "kind": "paused",
        "key": "twilio account",
        "sentence": msgspec.json.decode(block)["text"],
        "opened_at": 1_795_507_200_000,
    }
    sent = heralds._call("https://chat.example.com/x", [row], "https://oncue.example.com/settings/alerts")
    assert msgspec.json.format(msgspec.json.encode(sent["json"])).decode() == block.strip()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) - {"kind"} == set(KINDS)


def test_every_field_of_a_rule_and_every_operator_is_documented():
    text = read("reference/rules-file.md")
    assert all(f"`{name}`" in text for name in _RULE_FIELDS)
    assert all(f"`{operator}`" in text or f"path {operator}`" in text for operator in OPERATORS)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_and_files_that_are_named_exist(path):
    text = path.read_text()
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in TESTS, f"there is no test {name}"
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert link.startswith("https://") or (path.parent / link).exists(), f"{link} leads nowhere"
