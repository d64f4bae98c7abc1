"""People, by way of the management API: members and where they are signed in, links for them, alerts to them; and users from a file."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

import msgspec

from managing import Managed, api, signed_in  # noqa: F401 one is a fixture

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def member(api: Managed, email: str) -> dict[str, Any]:  # noqa: F811
    return next(one for one in api.get("/members", "admin")["items"] if one["email"] == email)


def is_in(api: Managed, cookie: str) -> bool:  # noqa: F811
    return api.call("GET", "/messages", None, {"Cookie": cookie})[0] == 200


def test_an_owner_sees_where_a_member_is_signed_in_and_signs_them_out(api):  # noqa: F811
    one, other = signed_in(api, "owner"), signed_in(api, "owner")
    found = member(api, "owner@example.com")
    assert TIME.fullmatch(found["seen_at"])
    place = f"/members/{found['id']}"
    assert api.get(place, "admin")["role"] == "owner"
    sessions = api.get(f"{place}/sessions", "admin")["items"]
    assert len(sessions) == 2 and sessions[0]["address"] == "127.0.0.1"
    assert all(TIME.fullmatch(each["opened_at"]) and each["session"] not in one + other for each in sessions)
    api.done("DELETE", f"{place}/sessions/{sessions[0]['session']}", status=204, scope="admin")
    assert sorted((is_in(api, one), is_in(api, other))) == [False, True]
    gone = api.ask("DELETE", f"{place}/sessions/{sessions[0]['session']}")
    assert gone.status == 404 and gone.detail.startswith("There is no session with the id")
    assert api.done("DELETE", f"{place}/sessions", scope="admin") == {"ended": 1}
    assert not is_in(api, one) and not is_in(api, other)
    assert api.get(f"{place}/sessions", "admin")["items"] == []
    verbs = [(each["by"], each["verb"]) for each in api.get("/audit?kind=session", "admin")["items"]]
    assert verbs == [("key admin-key", "revoked")] * 2
    assert member(api, "owner@example.com")["seen_at"] is None
    for path in ("", "/sessions"):
        assert api.ask("GET", f"/members/nobody{path}").detail == "There is no member with the id nobody."
    assert api.ask("GET", f"{place}/sessions", scope="write").status == 403


def test_a_member_is_given_a_link_to_choose_a_new_password(api):  # noqa: F811
    cookie = signed_in(api, "viewer")
    place = f"/members/{member(api, 'viewer@example.com')['id']}/password-link"
    link = api.done("POST", place, status=201, scope="admin")
    assert link["email"] == "viewer@example.com" and link["url"] == api.url + link["path"]
    assert not is_in(api, cookie), "wherever they were signed in they are no more"
    assert b"viewer@example.com" in api.call("GET", link["path"])[2]
    pending = api.get("/members", "admin")["invitations"]
    assert [(one["email"], one["role"]) for one in pending] == [("viewer@example.com", "")]
    assert api.done("POST", place, status=201, scope="admin")["path"] != link["path"]
    assert api.call("GET", link["path"])[0] == 404, "the earlier link has ended"
    assert api.ask("POST", "/members/nobody/password-link").status == 404
    assert api.ask("POST", place, scope="write").status == 403


def test_a_link_that_nobody_used_is_withdrawn(api):  # noqa: F811
    invited = api.done("POST", "/members", {"email": "dora@example.com", "role": "viewer"}, status=201, scope="admin")
    api.done("DELETE", "/invitations/dora@example.com", status=204, scope="admin")
    assert api.call("GET", invited["path"])[0] == 404
    assert "dora@example.com" not in [one["email"] for one in api.get("/members", "admin")["invitations"]]
    gone = api.ask("DELETE", f"/invitations/{urllib.parse.quote('dora@example.com')}")
    assert (gone.status, gone.detail) == (404, "There is no link for dora@example.com.")


def test_a_test_alert_is_raised_and_kept(api):  # noqa: F811
    api.run("member", "create", "told@example.com")
    raised = api.done("POST", "/alerts/test", status=201, scope="admin")
    assert raised["kind"] == "test" and raised["sentence"].startswith("This is a test: key admin-key")
    listed = api.get("/alerts")
    assert raised["key"] in [one["key"] for one in (*listed["open"], *listed["items"])]
    assert "told@example.com" in api.get("/alerting", "admin")["told"], "the owners, as long as nobody else is named"
    assert api.get("/audit?kind=alert", "admin")["items"][0]["verb"] == "tested"
    assert api.ask("POST", "/alerts/test", scope="write").status == 403


def test_what_alerts_are_about_is_documented(api):  # noqa: F811
    schema = api.ask("GET", "/openapi.json", scope="").json()["components"]["schemas"]["Alert"]["properties"]["kind"]
    for kind in ("paused", "inactive", "rule_stopped", "rule_fault", "deliverability", "silence", "unknown", "test"):
        assert f"`{kind}`: " in schema["description"]
    assert schema["examples"] == ["paused"]


FILE = "user,first_name,consent_promotional\nf1,Ann,true\nf2,Bob,\nf3\n"


def test_users_are_taken_in_from_a_file(api):  # noqa: F811
    looked = api.done("POST", "/user-imports", {"csv": FILE, "dry_run": True})
    assert (looked["users"], looked["left_out"]) == (2, 1)
    assert looked["faults"] == ["Line 4: this line does not have as many cells as the first one."]
    assert api.ask("GET", "/users/f1").status == 404, "it was only looked at"
    done = api.done("POST", "/user-imports", {"csv": FILE, "name": "crm.csv"})
    assert (done["users"], done["still_opted_out"], done["left_out"]) == (2, 0, 1)
    ann = api.get("/users/f1")
    assert ann["properties"]["first_name"] == "Ann"
    assert [(one["state"], one["source"]) for one in ann["consents"]] == [
        ("opted_in", "property consent_promotional (import of crm.csv)")
    ]
    api.done("PUT", "/users/f1/consents/promotional", {"state": "opted_out"})
    assert api.done("POST", "/user-imports", {"csv": FILE})["still_opted_out"] == 1
    assert [one["state"] for one in api.get("/users/f1")["consents"]] == ["opted_out"]
    entry = api.get("/audit?kind=user&name=crm.csv", "admin")["items"][0]
    assert (entry["by"], entry["verb"], entry["note"]) == (
        "key write-key",
        "imported",
        "2 users, 1 lines left out, 0 opt-ins left out",
    )
    refused = api.ask("POST", "/user-imports", {"csv": "id,name\n1,Ann\n", "name": "crm.csv"}, scope="write")
    assert refused.errors == {
        "csv": "crm.csv has no column `user`; its first line must name the columns, one of them `user`."
    }
    assert api.ask("POST", "/user-imports", {"csv": FILE}, scope="read").status == 403


def test_the_properties_seen_of_users_are_listed(api):  # noqa: F811
    api.done("PATCH", "/users/seen", {"properties": {"favourite colour": "red", "score": 3}})
    found = api.get("/user-properties")["properties"]
    assert found['["favourite colour"]'] == "red" and found[".score"] == 3


def test_all_that_is_kept_of_a_user_is_handed_out_and_then_erased(api):  # noqa: F811
    api.event(
        "gone/1", "visited", {"page": "pricing"}, user_properties={"first_name": "Gilda", "email": "gilda@example.com"}
    )
    found = api.get("/users/gone%2F1/data")
    assert found == msgspec.json.decode(api.run("users", "export", "gone/1").stdout)
    assert found["user"]["properties"]["first_name"] == "Gilda" and [one["name"] for one in found["events"]] == [
        "visited"
    ]
    assert api.ask("DELETE", "/users/gone%2F1", scope="write").status == 403
    assert api.done("DELETE", "/users/gone%2F1", scope="admin") == {
        "erased": {"attempts": 0, "decisions": 0, "messages": 0, "events": 1, "replies": 0, "consents": 0},
        "at_provider": 0,
        "opted_out": 0,
    }
    for again in (
        api.ask("GET", "/users/gone%2F1/data"),
        api.ask("DELETE", "/users/gone%2F1"),
        api.ask("GET", "/users/gone%2F1"),
    ):
        assert again.status == 404 and again.detail == "There is no user gone/1."
    entry = api.get("/audit?kind=user", "admin")["items"][0]
    assert (entry["by"], entry["verb"], entry["name"]) == ("key admin-key", "erased", "forgotten user")
    assert "gone/1" not in str(entry) and "ilda" not in str(entry)
