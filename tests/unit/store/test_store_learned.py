"""What checking an adaptor learned of the account is kept by whoever saves it, even where nothing else changed."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from inside import KEYS, RULE, TWILIO, Inside
from oncue.rules.document import read_document
from oncue.store import adaptors, configuring
from oncue.store import apply as applying

LEARNED = {"senders": [{"name": "+15005550006", "inbound_url": None}]}


@pytest.fixture
def values(inside: Inside) -> dict[str, object]:
    saved = adaptors.stored("twilio", inside.vault)
    assert saved and saved.found == {}
    return saved.values


def test_a_file_applied_again_keeps_what_the_check_learned_and_changes_nothing(inside: Inside):
    document, _ = read_document(KEYS + TWILIO + "rules:" + RULE, "rules.yaml", inside.catalogue, {})
    for _ in range(2):
        assert applying.apply(document, inside.catalogue, inside.vault, by="x", found={"twilio": LEARNED}) == []
    connection.close()
    inside.run(inside.writer.probe(5))
    assert inside.writer.snapshot.adaptors["twilio"].found == LEARNED, "and a running process knows"


def test_saving_a_form_again_keeps_it_too_and_is_no_line_in_the_trail(inside: Inside, values):
    adaptor = inside.catalogue["twilio"]
    trail = inside.rows("SELECT COUNT(*) FROM store_audit")
    with transaction.atomic():
        configuring.configure(adaptor, inside.vault, values, adaptors.ACTIVE, by="x", found=LEARNED)
    found = adaptors.stored("twilio", inside.vault)
    connection.close()
    assert found and found.found == LEARNED and inside.rows("SELECT COUNT(*) FROM store_audit") == trail


def test_what_is_known_already_wakes_nobody_and_no_check_forgets_nothing(inside: Inside, values):
    adaptor = inside.catalogue["twilio"]
    versions = []
    for found in (LEARNED, LEARNED, None):
        with transaction.atomic():
            assert not adaptors.save(adaptor, inside.vault, values, adaptors.ACTIVE, found)
        versions += inside.rows("SELECT value FROM store_setting WHERE name = 'config_version'")
    saved = adaptors.stored("twilio", inside.vault)
    connection.close()
    assert saved and saved.found == LEARNED and len(set(versions)) == 1
