"""The policy itself: as a file says it, as it is saved, and what the command line tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction

from inside import KEYS, TWILIO
from oncue.cli import trial
from oncue.core import clock, ids
from oncue.core.event import Event
from oncue.core.message import Category
from oncue.rules.compile import compile_rule
from oncue.rules.document import read_document
from oncue.rules.engine import decide
from oncue.store import apply as applying
from oncue.store.foresee import foresee, imagined
from oncue.store.outbox import Plan
from oncue.store.policy import FIELDS, Policy, read_policy, save_policy
from policed import (
    ANN,
    OFFER,
    SENDER,
    became,
    hour,
    house,
)

__all__ = ["hour", "house"]


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
    rule = compile_rule(spec, house.catalogue)
    event = Event(id=ids.new(), user="ann", name="offered", properties={}, timestamp=clock.now())

    def told(**policy: Any) -> str:
        snapshot = msgspec.structs.replace(house.writer.snapshot, policy=Policy(**policy))
        unit = imagined(snapshot, spec, clock.now())
        ann = trial._take_in(unit, event, {}, {"phone_number": ANN, "consent_promotional": True})
        plans = [Plan(event=event, user=ann, rule=spec, planned=one) for one in decide(rule, event, ann).planned]
        for one in foresee(unit, plans):
            trial._tell_foreseen(one)
        return " ".join(capsys.readouterr().out.split()).partition("would ")[2]

    hour.set("15 22:00:00")
    goes = f"go to {ANN} from {SENDER}"
    assert told().startswith(f"{goes} but not now: It was 22:00 (Europe/Dublin), and quiet until 08:00")
    assert told(quiet_categories=(Category.TRANSACTIONAL,)) == goes
    assert "not be sent: It was 22:00 (Europe/Dublin), and quiet until 13:00" in told(quiet_to="13:00")
    hour.set("15 12:00:00")
    assert told() == goes
    connection.close()


def test_every_field_of_the_policy_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "reference" / "rules-file.md").read_text()
    assert all(f"`{field.name}`" in text for field in FIELDS)
    assert tuple(field.name for field in FIELDS) == Policy.__struct_fields__
