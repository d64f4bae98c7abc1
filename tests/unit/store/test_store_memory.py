"""What is kept and what is not: users, decisions, the story of a message; secrets only encrypted."""

from __future__ import annotations

import logging
import stat

import msgspec
import pytest
from django.conf import settings
from django.db import connections

from inside import CANARY, KEY, LOOP, Inside, turn
from oncue.asgi import open_store
from oncue.core import clock
from oncue.core.adaptor import Status
from oncue.settings import read
from oncue.store import config, database, explain, reading, search, seen
from oncue.store.adaptors import stored
from oncue.store.jobs import Edit, Reports
from oncue.store.secrets import Vault

ANN = {"phone_number": "+15005551001", "first_name": "Ann"}
CONDITIONS = LOOP.replace(
    "triggers: [booked]", 'triggers: [booked]\n    conditions: ["event.n >= 10", "user.country == \\"IE\\""]'
)


@pytest.fixture(autouse=True)
def _connections_closed():
    yield
    connections.close_all()


def on_disk(inside: Inside) -> bytes:
    """Every byte of the data directory."""
    return b"".join(path.read_bytes() for path in inside.folder.rglob("*") if path.is_file())


def test_saved_secrets_are_encrypted_on_disk_and_work_all_the_same(inside):
    inside.event("ann", "booked", user_properties=ANN)
    inside.submit_claimed()
    assert inside.writer.snapshot.adaptors["twilio"].config["auth_token"] == CANARY
    assert b"default_sender" in on_disk(inside)  # what is no secret is there
    for secret in (CANARY, KEY):
        assert secret.encode() not in on_disk(inside)


def test_nothing_that_reads_or_tells_shows_a_secret(inside, caplog):
    caplog.set_level(logging.DEBUG)
    event = inside.event("ann", "booked", user_properties=ANN)
    inside.submit_claimed()
    told = [
        explain.explain(event),
        reading.events(),
        reading.messages(),
        search.users(),
        reading.user("ann"),
        reading.counts(0),
        inside.call("GET", "/metrics").body.decode(),
        inside.rows("SELECT * FROM store_adaptor"),
        caplog.text,
    ]
    assert told[0] and CANARY not in str(told) and KEY not in str(told)


def test_secrets_saved_under_another_key_hold_the_adaptor_inactive_and_say_so(inside, caplog):
    unread = stored("twilio", Vault("another key"))
    assert "not the one they were saved with" in unread.problem and "auth_token" not in unread.values
    snapshot = config.load(inside.catalogue, Vault("another key"))
    assert snapshot.active("twilio") is None and "ONCUE_SECRET_KEY" in snapshot.adaptors["twilio"].problem
    assert "adaptor twilio is held inactive" in caplog.text


def test_the_data_directory_and_its_key_are_the_owner_s_alone(tmp_path, inside):
    settings = read({"ONCUE_DATA_DIR": str(tmp_path / "data")})
    first = open_store(settings).close({"token": CANARY})
    assert open_store(settings).open(first) == {"token": CANARY}  # the key is made once
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600


@pytest.fixture(autouse=True)
def _one_database_a_process(monkeypatch):
    """`open_store` configures Django, which is done once a process."""
    configure = database.configure
    monkeypatch.setattr(
        "oncue.store.database.configure",
        lambda path, **more: None if settings.configured else configure(path, **more),
    )


def test_users_merge_and_null_removes(inside):
    inside.take(
        {"type": "user", "user": "u", "properties": {"a": 1, "b": [1], "c": {"d": 1}}},
        {"type": "user", "user": "u", "properties": {"a": None, "b": [2], "never": None}},
        {"type": "event", "user": "u", "name": "n", "user_properties": {"c": {"e": 2}, "f": "€"}},
    )
    assert inside.user("u") == {"b": [2], "c": {"e": 2}, "f": "€"}
    assert reading.user("u")["properties"] == inside.user("u")


@pytest.mark.parametrize(
    ("properties", "phone"),
    [
        ({"phone_number": "+353 87 123 4567"}, "+353871234567"),
        ({"phone_number": "087 123 4567", "country": "IE"}, "+353871234567"),
        ({"phone_number": "087 123 4567"}, ""),
        ({"phone_number": 12}, ""),
        ({}, ""),
    ],
)
def test_a_user_is_found_by_the_number_in_e164(inside, properties, phone):
    inside.take({"type": "user", "user": "u", "properties": properties})
    assert inside.rows("SELECT phone FROM store_user") == [(phone,)]


def test_every_rule_considered_leaves_a_decision_with_each_condition_and_what_it_saw(inside):
    inside.apply(CONDITIONS)
    inside.event("ann", "booked", {"n": 12}, user_properties={**ANN, "country": "IE"})
    inside.event("bob", "booked", {"n": "9.5"})
    rows = inside.rows("SELECT rule, revision, acted, reason, sentence, trace FROM store_decision ORDER BY seq")
    assert [row[:4] for row in rows] == [("confirm", 2, 1, "acted"), ("confirm", 2, 0, "conditions_not_met")]
    assert all(row[4].endswith(".") for row in rows)
    acted, refused = (msgspec.json.decode(row[5]) for row in rows)
    assert [(one["condition"], one["held"], one["seen"]) for one in acted] == [
        ("event.n >= 10", True, 12),
        ('user.country == "IE"', True, "IE"),
    ]
    assert [(one["held"], one["seen"], one["missing"]) for one in refused] == [
        (False, "9.5", False),
        (False, None, True),
    ]


def test_forgetting_old_ids_forgets_nothing_else(inside):
    event = inside.event("ann", "booked", user_properties=ANN, id="e1")
    inside.submit_claimed()
    turn(40 * 86_400)
    assert inside.do(Edit(lambda: seen.forget(clock.now() // clock.DAY))) == 1
    assert inside.rows("SELECT * FROM store_seen") == []
    told = explain.explain(event)
    assert told and len(told.decisions) == 1 and told.messages[0].message["state"] == "accepted"


def test_forgetting_is_bounded_in_one_transaction(inside):
    inside.take(*({"type": "event", "user": "u", "name": "n", "id": str(n)} for n in range(50)))
    turn(40 * 86_400)
    today = clock.now() // clock.DAY
    assert [inside.do(Edit(lambda: seen.forget(today, 20))) for _ in range(4)] == [20, 20, 10, 0]


def test_explain_tells_the_whole_story_by_any_of_its_ids(inside):
    event = inside.event("ann", "booked", {"n": 7}, user_properties=ANN)
    (message,) = inside.submit_claimed()
    told = Status(
        message_id=message, provider_id=f"SM{message}", status="undelivered", error_code="30003", raw={"a": "b"}
    )
    inside.do(Reports("twilio", [told]))
    for one in (event, message, message[:16], f"SM{message}"):
        story = explain.explain(one)
        assert story is not None, one
        assert (story.event["id"], story.user["properties"]) == (event, ANN)
        assert [row["reason"] for row in story.decisions] == ["acted"]
        (sent,) = story.messages
        assert sent.message["fields"]["body"] == "Booked 7"
        assert [row["outcome"] for row in sent.attempts] == ["Submitted"]
        assert [row["name"] for row in sent.reports] == ["twilio.queued", "twilio.undelivered"]
        assert sent.reports[1]["raw"] == {"a": "b"}


def test_explain_of_a_status_says_which_message_brought_it_about(inside):
    inside.event("ann", "booked", user_properties=ANN)
    (message,) = inside.submit_claimed()
    ((status,),) = inside.rows("SELECT id FROM store_event WHERE name = 'twilio.queued'")
    story = explain.explain(status)
    assert story and story.cause["id"] == message


@pytest.mark.parametrize("one", ["", "x", "0" * 32, "%", "' OR 1=1 --", "\0", "SM"])
def test_explain_of_nothing_is_nothing(inside, one):
    inside.event("ann", "booked", user_properties=ANN)
    assert explain.explain(one) is None


def test_listings_are_paged_by_key_newest_first(inside):
    inside.take(*({"type": "event", "user": "u", "name": f"n{n}"} for n in range(5)))
    first = reading.events(limit=2)
    second = reading.events(limit=2, before=first.next_before)
    assert [row["name"] for row in first.rows + second.rows] == ["n4", "n3", "n2", "n1"]
