"""A rule is one thing, whether a file or a member saves it: the same revisions, and a line in the trail for each change."""

from __future__ import annotations

import msgspec
from django.db import connection, transaction

from inside import KEYS, RULE, TWILIO, Inside
from oncue.rules.document import read_document
from oncue.rules.spec import RuleState
from oncue.store import apply as applying
from oncue.store import rulebook


def apply(inside: Inside, rules: str) -> list[str]:
    document, faults = read_document(f"{KEYS}{TWILIO}{rules}", "rules.yaml", inside.catalogue, {})
    assert not faults
    changes = applying.apply(document, inside.catalogue, inside.vault, by="file@example.com", found={})
    connection.close()
    return [f"{one.verb} {one.name}: {one.note}" for one in changes]


def by_hand(inside: Inside, **changed: object) -> None:
    with transaction.atomic():
        stored = rulebook.find("confirm")
        assert stored
        rulebook.save(msgspec.structs.replace(stored.spec, **changed), by="ann@example.com")
    connection.close()


def test_a_file_and_a_member_take_turns_and_every_revision_is_kept(inside: Inside):
    by_hand(inside, name="By Ann")
    assert apply(inside, "rules:" + RULE) == ["changed confirm: state on"]
    assert apply(inside, "rules:" + RULE) == []
    assert apply(inside, "rules: []") == ["archived confirm: no longer in the file"]
    assert apply(inside, "rules: []") == []
    assert apply(inside, "rules:" + RULE.replace('"on"', '"off"')) == ["restored confirm: state off"]
    assert inside.rows("SELECT revision, by FROM store_rulerevision ORDER BY revision") == [
        (1, "a test"), (2, "ann@example.com"), (3, "file@example.com"), (4, "file@example.com"),
    ]  # fmt: skip
    assert inside.rows("SELECT by, verb, note FROM store_audit WHERE kind = 'rule' ORDER BY seq") == [
        ("a test", "created", "by a file"),
        ("ann@example.com", "changed", ""),
        ("file@example.com", "changed", "by a file"),
        ("file@example.com", "archived", "by a file"),
        ("file@example.com", "restored", "by a file"),
    ]
    assert inside.rows("SELECT origin, revision FROM store_rule") == [("file", 4)]


def test_a_file_archives_no_rule_that_it_did_not_make(inside: Inside):
    by_hand(inside, key="ann-s", name="By Ann")
    assert apply(inside, "rules: []") == ["archived confirm: no longer in the file"]
    assert inside.rows("SELECT key, origin FROM store_rule WHERE archived_at IS NULL") == [("ann-s", "ui")]


def test_what_waits_of_a_rule_is_called_off_by_either_and_either_says_how_much(inside: Inside):
    inactive = TWILIO.replace("twilio:\n", "twilio:\n    state: inactive\n")
    for turned_off in ("file", "member"):
        inside.apply(f"{KEYS}{inactive}rules:{RULE}")
        inside.run(inside.writer.probe(5))
        inside.event("ann", "booked", user_properties={"phone_number": "+15005551001"})
        if turned_off == "file":
            document = f"{KEYS}{inactive}rules:" + RULE.replace('"on"', '"off"')
            found, _ = read_document(document, "rules.yaml", inside.catalogue, {})
            changes = applying.apply(found, inside.catalogue, inside.vault, by="x", found={})
            assert [one.note for one in changes] == ["state off; 1 that waited will not be sent"]
            connection.close()
        else:
            by_hand(inside, state=RuleState.OFF)
            assert inside.rows("SELECT note FROM store_audit ORDER BY seq DESC LIMIT 1") == [
                ("1 that waited will not be sent",)
            ]
    assert inside.states() == {"canceled": 2}


def test_a_rule_that_cannot_be_read_is_mended_by_the_file_that_names_it(inside: Inside, caplog):
    inside.execute("UPDATE store_rule SET spec = 'broken'")
    assert apply(inside, "rules:" + RULE) == ["created confirm: state on"]
    assert "cannot be read" in caplog.text
    assert inside.rows("SELECT revision FROM store_rule") == [(2,)]
    assert apply(inside, "rules:" + RULE) == []
