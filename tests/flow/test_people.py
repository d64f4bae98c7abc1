"""Members and keys from the command line: who may do what, shown once, taken back."""

from __future__ import annotations

import pytest

from forked import Oncue

PASSWORD = "correct horse battery 7"


@pytest.fixture
def oncue(tmp_path) -> Oncue:
    """Not running: commands work on the data directory."""
    return Oncue(tmp_path)


def test_a_member_is_made_with_a_role_and_a_password_of_their_own(oncue: Oncue):
    done = oncue.run(
        "member", "create", "Ann@Example.com", "--role", "viewer", "--password-stdin", text=f"{PASSWORD}\n"
    )
    assert (done.returncode, done.stdout) == (0, "ann@example.com can sign in as viewer.\n")
    assert [(one["email"], one["role"], one["disabled_at"]) for one in oncue.json("member", "list")] == [
        ("ann@example.com", "viewer", None)
    ]
    assert PASSWORD not in str(oncue.query("SELECT * FROM store_member"))


@pytest.mark.parametrize(
    ("arguments", "password", "sentence"),
    [
        (["ann@example.com"], "short", "This password is too short."),
        (["ann@example.com"], "1234567890", "This password is too common."),
        (["ann"], PASSWORD, "'ann' is not an e-mail address."),
        (["ann@example.com", "--role", "king"], PASSWORD, "'king' is not a role; a member is viewer, editor or owner."),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_made(oncue: Oncue, arguments: list[str], password: str, sentence: str):
    done = oncue.run("member", "create", *arguments, "--password-stdin", text=password)
    assert done.returncode == 1 and sentence in done.stderr
    assert oncue.json("member", "list") == []


def test_a_reset_prints_a_password_and_a_link_that_works_once(tmp_path):
    with Oncue(tmp_path) as oncue:
        made = oncue.json("member", "create", "ann@example.com")
        reset = oncue.json("member", "reset", "ann@example.com")
        assert reset["password"] != made["password"]
        assert reset["link"].startswith(f"{oncue.url}/invitation/")
        assert oncue.call("GET", reset["link"].removeprefix(oncue.url))[0] == 200


def test_a_key_is_made_with_scopes_and_revoked_by_its_name(oncue: Oncue):
    made = oncue.json("key", "create", "admin", "--scope", "read", "--scope", "admin")
    assert made["key"].startswith("oncue_")
    assert oncue.query("SELECT scopes FROM store_apikey") == [("read,admin",)]
    refused = oncue.run("key", "create", "other", "--scope", "everything")
    assert refused.returncode == 1 and "events, read, write, admin" in refused.stderr
    assert oncue.run("key", "revoke", "admin").returncode == 0
    assert oncue.json("key", "list") == []
    again = oncue.run("key", "revoke", "admin")
    assert again.returncode == 1 and "`oncue key list` shows their names" in again.stderr
    assert oncue.query("SELECT verb FROM store_audit ORDER BY seq") == [("created",), ("revoked",)]


def test_a_log_that_is_kept_has_no_link_in_it_but_says_how_the_first_owner_is_made(tmp_path):
    with Oncue(tmp_path, environ={"ONCUE_LOG": "json"}) as oncue:
        assert "oncue member create EMAIL" in oncue.log() and "/invitation/" not in oncue.log()
