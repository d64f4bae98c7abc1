"""Members sign in, are invited, lose rights at once; keys do what their scopes say; every change leaves an audit entry."""

from __future__ import annotations

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, transaction

from inside import turn
from oncue.core import clock
from oncue.store import audit, invitations, keys, members, sessions, throttle
from oncue.store.jobs import Probe
from oncue.store.members import Refused

GOOD = "correct horse battery"
HERE = "81.2.69.142"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Argon2 as it is, but with little work."""
    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 8_192)
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)
    monkeypatch.setattr(Argon2PasswordHasher, "parallelism", 1)


@pytest.fixture
def store(inside):
    """Functions that change something run inside a transaction, as they do from a page."""
    with transaction.atomic():
        yield inside
        transaction.set_rollback(True)
    connection.close()


def owner(email="ann@example.com", role="owner"):
    members.create(email, role)
    return members.by_email(email)["id"]


def refused(function, *arguments):
    with pytest.raises(Refused) as caught:
        function(*arguments)
    return str(caught.value)


def test_a_member_signs_in_with_their_address_in_any_case_and_nobody_else_does(store):
    password = members.create("Ann@Example.com")
    found = members.authenticate(" ANN@example.com ", password)
    assert (found["email"], found["role"], found["rehashed"]) == ("ann@example.com", "owner", "")
    assert "password" not in found
    assert members.authenticate("ann@example.com", password + "x") is None
    assert members.authenticate("bob@example.com", password) is None


def test_an_address_that_nobody_has_takes_as_much_hashing_as_one_that_somebody_has(store, monkeypatch):
    owner()
    worked = []
    real = Argon2PasswordHasher.encode
    monkeypatch.setattr(
        Argon2PasswordHasher, "encode", lambda self, *a, **k: (worked.append("hash"), real(self, *a, **k))[1]
    )
    members.authenticate("nobody@example.com", "x")
    assert worked == ["hash"]


def test_a_hash_made_with_other_parameters_is_made_anew(store, monkeypatch):
    password = members.create("ann@example.com")
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 2)
    found = members.authenticate("ann@example.com", password)
    assert found["rehashed"]
    members.keep_hash(found["id"], found["rehashed"])
    assert members.authenticate("ann@example.com", password)["rehashed"] == ""


def test_a_password_is_long_not_common_not_a_number_and_not_the_address(store):
    assert "too short" in refused(members.password_hash, "short", "a@b.c")
    assert "too common" in refused(members.password_hash, "password123", "a@b.c")
    assert "numeric" in refused(members.password_hash, "48264957204811", "a@b.c")
    assert "similar" in refused(members.password_hash, "ann.harrison1", "ann.harrison1@example.com")
    assert len(refused(members.password_hash, "12345", "a@b.c").splitlines()) == 3
    assert hashers.check_password(GOOD, members.password_hash(GOOD, "a@b.c"))


def test_the_last_owner_can_neither_be_disabled_nor_made_anything_else(store):
    ann = owner()
    bob = owner("bob@example.com", "editor")
    for one in (lambda: members.set_role(ann, "editor", "x"), lambda: members.disable(ann, "x")):
        assert "must be an owner" in refused(one)
    members.set_role(bob, "owner", "x")
    members.disable(bob, "x")
    assert "must be an owner" in refused(members.set_role, ann, "viewer", "x")  # a disabled owner is none
    members.enable(bob, "x")
    members.set_role(ann, "viewer", "x")
    assert members.member(ann)["role"] == "viewer"
    assert "not a role" in refused(members.set_role, ann, "god", "x")


def test_who_is_disabled_neither_signs_in_nor_stays_signed_in(store):
    owner("bob@example.com")
    password = members.create("ann@example.com")
    ann = members.by_email("ann@example.com")["id"]
    token = sessions.open_session(ann, "Firefox", HERE)
    members.disable(ann, "bob@example.com")
    assert sessions.find_session(token) is None
    assert members.authenticate("ann@example.com", password) is None
    members.enable(ann, "bob@example.com")
    assert sessions.find_session(token) is None
    assert members.authenticate("ann@example.com", password)


def test_a_new_password_ends_every_other_session(store):
    ann = owner()
    mine, other = (sessions.open_session(ann, "x", HERE) for _ in range(2))
    kept = sessions.find_session(mine)["session"]
    members.set_password(ann, members.password_hash(GOOD, "ann@example.com"), "ann@example.com", keep_session=kept)
    assert sessions.find_session(mine) and sessions.find_session(other) is None
    assert members.authenticate("ann@example.com", GOOD)
    members.reset("ann@example.com")
    assert sessions.find_session(mine) is None


# Sessions.


def test_a_session_is_its_member_as_they_are_now_and_its_token_is_not_stored(store):
    ann = owner()
    token = sessions.open_session(ann, "Firefox " * 100, HERE)
    found = sessions.find_session(token)
    assert (found["id"], found["email"], found["role"], found["address"]) == (ann, "ann@example.com", "owner", HERE)
    owner("bob@example.com")
    members.set_role(ann, "viewer", "x")
    assert sessions.find_session(token)["role"] == "viewer"
    assert sessions.find_session(token + "x") is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM store_session")
        assert token not in str(cursor.fetchall())


def test_a_session_ends_after_fourteen_idle_days_and_after_ninety_in_any_case(store):
    token = sessions.open_session(owner(), "x", HERE)
    for _ in range(6):
        turn(13 * 86_400)
        sessions.touch(token, HERE)
    assert sessions.find_session(token)
    turn(11 * 86_400)
    assert sessions.find_session(token)
    sessions.touch(token, HERE)
    turn(86_400 + 1)  # ninety days old
    assert sessions.find_session(token) is None
    idle = sessions.open_session(members.by_email("ann@example.com")["id"], "x", HERE)
    turn(14 * 86_400 + 1)
    sessions.touch(idle, HERE)
    assert sessions.find_session(idle) is None


def test_a_session_is_touched_at_most_once_a_minute(store):
    token = sessions.open_session(owner(), "x", HERE)
    began = sessions.find_session(token)["seen_at"]
    turn(59)
    sessions.touch(token, "1.1.1.1")
    assert sessions.find_session(token)["seen_at"] == began
    turn(2)
    sessions.touch(token, "1.1.1.1")
    found = sessions.find_session(token)
    assert found["seen_at"] >= began + 61_000 and found["address"] == "1.1.1.1"


def test_sessions_can_be_seen_and_revoked_by_their_member_only(store):
    ann, bob = owner(), owner("bob@example.com")
    first, second = sessions.open_session(ann, "phone", HERE), sessions.open_session(ann, "laptop", HERE)
    foreign = sessions.open_session(bob, "x", HERE)
    shown = {row["agent"]: row["session"] for row in sessions.listed(ann)}
    assert set(shown) == {"phone", "laptop"}
    assert not sessions.revoke(bob, shown["phone"], "bob@example.com")
    assert sessions.revoke(ann, shown["phone"], "ann@example.com")
    assert sessions.find_session(first) is None and sessions.find_session(second)
    sessions.open_session(ann, "tablet", HERE)
    assert sessions.revoke_all(ann, "ann@example.com", keep=shown["laptop"]) == 1
    assert [row["agent"] for row in sessions.listed(ann)] == ["laptop"]
    sessions.close_session(second)
    assert sessions.listed(ann) == [] and sessions.find_session(foreign)


# The throttle.


def test_five_failures_make_one_wait_half_a_minute_then_twice_as_long_up_to_a_quarter_of_an_hour(store):
    for _ in range(4):
        throttle.failed("ann@example.com", "")
    assert throttle.wait_for("ann@example.com", "") == 0
    waits = []
    for _ in range(8):
        throttle.failed("Ann@example.com ", "")
        waits.append(throttle.wait_for("ann@example.com", ""))
        turn(waits[-1])
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert throttle.wait_for("ann@example.com", "") == 0


def test_failures_are_counted_by_where_they_come_from_too(store):
    for number in range(5):
        throttle.failed(f"{number}@example.com", HERE)
    assert throttle.wait_for("new@example.com", HERE) == 30
    assert throttle.wait_for("new@example.com", "81.2.69.143") == 0
    for number in range(5):
        throttle.failed(f"{number}@example.org", f"2a00:1450:4009::{number + 1}")
    assert throttle.wait_for("new@example.com", "2a00:1450:4009::77") == 30  # one subscriber's network


def test_a_proxys_address_which_everybody_shares_does_not_count(store):
    for number in range(50):
        throttle.failed(f"{number}@example.com", "127.0.0.1")
        throttle.failed(f"{number}@example.com", "172.18.0.3")
    assert throttle.wait_for("new@example.com", "127.0.0.1") == throttle.wait_for("new@example.com", "172.18.0.3") == 0


def test_success_and_an_hour_of_peace_are_forgiving(store):
    for _ in range(5):
        throttle.failed("ann@example.com", HERE)
    throttle.succeeded("ann@example.com", HERE)
    assert throttle.wait_for("ann@example.com", HERE) == 0
    for _ in range(5):
        throttle.failed("bob@example.com", HERE)
    turn(3_700)
    throttle.failed("bob@example.com", HERE)
    assert throttle.wait_for("bob@example.com", HERE) == 0


# Invitations.


def test_an_invitation_makes_a_member_once(store):
    owner()
    token = invitations.create("Bob@example.com", "editor", "ann@example.com")
    assert invitations.find(token)["email"] == "bob@example.com"
    assert "too short" in refused(invitations.take, token, "x")
    bob = invitations.take(token, GOOD, "mallory@example.com")
    assert (members.member(bob)["email"], members.member(bob)["role"]) == ("bob@example.com", "editor")
    assert members.authenticate("bob@example.com", GOOD)
    assert invitations.find(token) is None and "has been used" in refused(invitations.take, token, GOOD)


def test_an_invitation_grows_old_is_replaced_and_can_be_revoked(store):
    first = invitations.create("bob@example.com", "viewer", "x")
    second = invitations.create("bob@example.com", "editor", "x")
    assert invitations.find(first) is None
    assert [row["role"] for row in invitations.pending()] == ["editor"]
    assert invitations.revoke("bob@example.com", "x") and invitations.find(second) is None
    third = invitations.create("bob@example.com", "editor", "x")
    turn(7 * 86_400 + 1)
    assert invitations.find(third) is None and invitations.pending() == []
    assert "not an e-mail" in refused(invitations.create, "bob", "viewer", "x")


def test_the_first_owners_link_works_until_there_is_a_member(store):
    stale, token = invitations.first_owner_token(), invitations.first_owner_token()
    assert invitations.find(stale) is None
    assert "not an e-mail" in refused(invitations.take, token, GOOD, "")
    ann = invitations.take(token, GOOD, "Ann@example.com")
    assert members.member(ann)["role"] == "owner"
    assert invitations.first_owner_token() is None


def test_the_first_owners_link_is_worth_nothing_once_somebody_else_made_a_member(store):
    token = invitations.first_owner_token()
    owner()
    assert invitations.find(token) is None and "has been used" in refused(invitations.take, token, GOOD, "m@evil.com")


def test_a_link_for_a_new_password_changes_that_and_nothing_else(store):
    owner()
    bob = owner("bob@example.com", "viewer")
    session = sessions.open_session(bob, "x", HERE)
    token = invitations.renew_password("bob@example.com", "ann@example.com")
    assert invitations.take(token, GOOD) == bob
    assert members.member(bob)["role"] == "viewer" and members.authenticate("bob@example.com", GOOD)
    assert sessions.find_session(session) is None
    assert "invite them" in refused(invitations.renew_password, "carl@example.com", "x")


# Keys.


def test_a_key_has_scopes_and_only_one_for_events_sends_events(inside):
    with transaction.atomic():
        token = keys.create("robot", 0, ["read", "write"], "ann@example.com")
    connection.close()
    inside.do(Probe())
    found = keys.find(inside.writer.snapshot, token)
    assert found.scopes == {"read", "write"}
    answer = inside.post({"type": "event", "user": "u", "name": "x", "properties": {}}, key=token)
    assert answer.status == 403 and "lacks the scope `events`" in answer.sentence
    assert inside.event("u", "x")  # the key of the fixture was made before there were scopes


def test_a_revoked_key_is_not_known_any_more(inside):
    with transaction.atomic():
        token = keys.create("robot")
    connection.close()
    body = {"type": "event", "user": "u", "name": "x", "properties": {}}
    inside.do(Probe())
    assert inside.post(body, key=token).status == 202
    one = next(row for row in keys.listed() if row["name"] == "robot")
    assert (one["scopes"], one["created_by"]) == (["events"], "command line")
    with transaction.atomic():
        assert keys.revoke(one["id"], "ann@example.com") and not keys.revoke(one["id"], "ann@example.com")
    connection.close()
    inside.do(Probe())
    assert inside.post(body, key=token).status == 401


@pytest.mark.parametrize("scopes", [[], ["god"], ["events", "god"]])
def test_a_scope_that_there_is_not_is_refused(store, scopes):
    with pytest.raises(keys.Taken, match="at least one scope of: events, read, write, admin"):
        keys.create("robot", 0, scopes)


def test_a_file_that_fixes_a_key_leaves_its_scopes(store):
    keys.create("robot", 0, ["admin"])
    assert keys.fix("robot", "a new value of that key", 5.0)
    assert next(row for row in keys.listed() if row["name"] == "robot")["scopes"] == ["admin"]


# The audit trail.


def test_changes_of_members_and_keys_leave_entries_without_secrets(store):
    ann = owner()
    members.create("bob@example.com", "viewer")
    members.set_role(members.by_email("bob@example.com")["id"], "editor", "ann@example.com")
    token = keys.create("robot", 0, ["admin"], "ann@example.com")
    sessions.open_session(ann, "x", HERE)
    sessions.revoke_all(ann, "ann@example.com")
    entries = audit.page()
    told = [(one["by"], one["verb"], one["kind"], one["name"]) for one in entries[:5]]
    assert told == [
        ("ann@example.com", "revoked", "session", "ann@example.com"),
        ("ann@example.com", "created", "key", "robot"),
        ("ann@example.com", "changed role", "member", "bob@example.com"),
        ("command line", "created", "member", "bob@example.com"),
        ("command line", "created", "member", "ann@example.com"),
    ]
    assert (entries[2]["before"], entries[2]["after"]) == ({"role": "viewer"}, {"role": "editor"})
    assert token not in str(entries)
    assert audit.page(limit=1, before=entries[0]["seq"]) == entries[1:2]
    assert [one["verb"] for one in audit.page(kind="member", name="bob@example.com")] == ["changed role", "created"]
    assert all(abs(one["at"] - clock.now()) < 60_000 for one in entries)
