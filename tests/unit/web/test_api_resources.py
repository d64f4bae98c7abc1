"""What each resource of the management API does, on a real oncue."""

from __future__ import annotations

import re

from managing import api  # noqa: F401 a fixture
from oncue.testing import wait_for

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_key_is_shown_once_and_works_until_it_is_revoked(api):  # noqa: F811
    made = api.done("POST", "/keys", {"name": "till", "scopes": ["read"]}, status=201, scope="admin")
    listed = {one["name"]: one for one in api.get("/keys", "admin")["items"]}
    assert listed["till"]["scopes"] == ["read"] and listed["till"]["created_by"] == "key admin-key"
    assert TIME.fullmatch(listed["till"]["created_at"])
    assert "key" not in listed["till"]
    api.keys["till"] = made["key"]
    assert api.ask("GET", "/policy", scope="till").status == 200
    assert (
        api.ask("POST", "/keys", {"name": "till"}).detail
        == "There is an API key named 'till' already; choose another name."
    )
    assert api.ask("POST", "/keys", {"name": "x", "scopes": ["root"]}).status == 422
    api.done("DELETE", f"/keys/{made['id']}", status=204, scope="admin")
    assert api.ask("GET", "/policy", scope="till").status == 401
    assert api.ask("DELETE", f"/keys/{made['id']}").status == 404


def test_a_member_is_invited_given_a_role_and_disabled_but_never_the_last_owner(api):  # noqa: F811
    api.run("member", "create", "ann@example.com")
    invited = api.done(
        "POST", "/members", {"email": " Bob@Example.com ".strip(), "role": "editor"}, status=201, scope="admin"
    )
    assert invited["email"] == "bob@example.com"
    assert invited["url"] == api.url + invited["path"]
    assert api.call("GET", invited["path"])[0] == 200
    found = api.get("/members", "admin")
    assert [one["email"] for one in found["invitations"]] == ["bob@example.com"]
    ann = next(one for one in found["items"] if one["email"] == "ann@example.com")
    assert api.ask("POST", "/members", {"email": "ann@example.com", "role": "viewer"}).status == 409
    assert api.ask("POST", "/members", {"email": "nobody", "role": "viewer"}).errors.keys() == {"email"}
    assert api.ask("PATCH", f"/members/{ann['id']}", {"role": "viewer"}).detail.startswith("There must be an owner")
    assert api.ask("PATCH", f"/members/{ann['id']}", {"disabled": True}).status == 409
    api.run("member", "create", "carol@example.com")
    assert api.done("PATCH", f"/members/{ann['id']}", {"role": "viewer"}, scope="admin")["role"] == "viewer"
    changed = api.done("PATCH", f"/members/{ann['id']}", {"disabled": True}, scope="admin")
    assert TIME.fullmatch(changed["disabled_at"])
    assert api.done("PATCH", f"/members/{ann['id']}", {"disabled": False}, scope="admin")["disabled_at"] is None
    assert api.ask("PATCH", "/members/nobody", {}).status == 404


def test_the_policy_is_read_and_set(api):  # noqa: F811
    wanted = {"quiet_from": "20:30", "quiet_to": "09:00", "quiet_categories": ["promotional"], "default_zone": "Europe/Dublin",
              "cap_messages": 2, "cap_days": 3, "cap_categories": []}  # fmt: skip
    assert api.done("PUT", "/policy", wanted, scope="admin") == wanted
    assert api.get("/policy") == wanted
    refused = api.ask("PUT", "/policy", {"default_zone": "Europe/Doblin"})
    assert refused.errors == {
        "default_zone": "There is no time zone 'Europe/Doblin'; give its IANA name, such as Europe/Dublin."
    }
    assert api.ask("PUT", "/policy", {"quiet_from": "25:00"}).status == 422
    assert api.get("/policy") == wanted


def test_how_long_things_are_kept_and_who_is_told_is_read_and_set(api):  # noqa: F811
    assert api.done("PUT", "/retention", {"messages": 365}, scope="admin") == {
        "messages": 365,
        "exchanges": 0,
        "events": 0,
        "bodies": 0,
    }
    assert api.done("PUT", "/retention", {"bodies": 1}, scope="admin")["bodies"] == 1
    api.done("PUT", "/retention", {"messages": 365}, scope="admin")
    assert api.get("/retention", "admin")["messages"] == 365
    assert "40" in api.ask("PUT", "/retention", {"events": 3}).errors["events"]
    told = {"emails": ["ops@example.com"], "webhook_url": ""}
    assert api.done("PUT", "/alerting", told, scope="admin") == {**told, "told": told["emails"], "problem": ""}
    assert api.get("/alerting", "admin") == {**told, "told": told["emails"], "problem": ""}
    assert api.ask("PUT", "/alerting", {"emails": ["ops"]}).errors == {"emails": "'ops' is not an e-mail address."}


def test_the_audit_trail_says_which_key_changed_what(api):  # noqa: F811
    api.done("POST", "/keys", {"name": "audited"}, status=201, scope="admin")
    page = api.get("/audit?kind=key&name=audited", "admin")
    assert [(one["by"], one["verb"], one["after"]["scopes"]) for one in page["items"]] == [
        ("key admin-key", "created", ["events"])
    ]
    assert page["next"] is None
    first = api.get("/audit?limit=1", "admin")
    second = api.get(first["next"].removeprefix("/api/v1"), "admin")
    assert second["items"][0]["seq"] < first["items"][0]["seq"]


def test_a_user_is_made_found_and_changed(api):  # noqa: F811
    ann = {"first_name": "Ann", "phone_number": "+353861234567", "nickname": "A"}
    made = api.done("PATCH", "/users/a%2Fnn%20%2B1", {"properties": ann})
    assert (made["id"], made["properties"]) == ("a/nn +1", ann)
    changed = api.done("PATCH", "/users/a%2Fnn%20%2B1", {"properties": {"nickname": None, "consent_promotional": True}})
    assert changed["properties"] == {"first_name": "Ann", "phone_number": "+353861234567", "consent_promotional": True}
    assert [(one["category"], one["state"]) for one in changed["consents"]] == [("promotional", "opted_in")]
    for search in ("a%2Fnn", "%2B353861234567", "00353861234567", "ann"):
        found = [one["id"] for one in api.get(f"/users?search={search}")["items"]]
        assert "a/nn +1" in found or search == "00353861234567", search
    assert api.ask("GET", "/users/nobody").detail == "There is no user nobody."
    assert api.ask("PATCH", "/users/b", {"properties": {"$id": 1}}).errors.keys() == {"properties.$id"}
    assert api.ask("PATCH", "/users/%20", {"properties": {}}).status == 422
    assert api.ask("PATCH", f"/users/{'x' * 201}", {"properties": {}}).status == 422


def test_consent_is_said_for_a_user(api):  # noqa: F811
    said = api.done("PUT", "/users/carol/consents/promotional", {"state": "opted_in", "source": "at the till"})
    assert [(one["state"], one["source"]) for one in said["consents"]] == [("opted_in", "at the till (key write-key)")]
    said = api.done("PUT", "/users/carol/consents/promotional", {"state": "opted_out"})
    assert [one["state"] for one in said["consents"]] == ["opted_out"]
    names = [one["event"]["name"] for one in api.get("/users/carol/timeline")["items"]]
    assert names == ["oncue.opted_out", "oncue.opted_in"]
    api.done("PUT", "/users/c%2Fr%C3%B6l/consents/promotional", {"state": "opted_in"})
    api.done("PUT", "/users/c%2Fr%C3%B6l/consents/promotional", {"state": "opted_out"})
    first = api.get("/users/c%2Fr%C3%B6l/timeline?limit=1")
    assert first["next"].startswith("/api/v1/users/c%2Fr%C3%B6l/timeline?limit=1&before=")
    assert api.get(first["next"].removeprefix("/api/v1"))["items"][0]["event"]["name"] == "oncue.opted_in"
    assert api.ask("PUT", "/users/carol/consents/spam", {"state": "opted_in"}).status == 422


def test_events_are_listed_filtered_and_explained(api):  # noqa: F811
    ids = [api.event("dave", "seen", {"n": n}) for n in range(3)]
    api.event("erin", "seen")
    page = api.get("/events?user=dave&limit=2")
    assert [one["id"] for one in page["items"]] == [ids[2], ids[1]]
    assert page["items"][0]["properties"] == {"n": 2} and page["items"][0]["source"] == "shop"
    rest = api.get(page["next"].removeprefix("/api/v1"))
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([ids[0]], None)
    assert api.get("/events?name=seen&until=2020-01-01T00:00:00Z")["items"] == []
    assert len(api.get("/events?name=seen&since=2020-01-01T00:00:00%2B02:00")["items"]) == 4
    told = api.get(f"/events/{ids[0]}")
    assert (told["event"]["id"], told["messages"], told["cause"]) == (ids[0], [], None)
    assert api.ask("GET", f"/events/{ids[0][:-1]}").status == 404, "a program says the whole id"
    wait_for(lambda: any(one["name"] == "seen" and one["week"] == 4 for one in api.get("/event-names")["items"]), 5)
    assert api.get("/event-names/seen")["properties"] == {".n": 2} or api.get("/event-names/seen")["properties"] == {
        ".n": 0
    }


def test_the_overview_counts(api):  # noqa: F811
    api.event("frank", "counted")
    found = api.get("/overview?hours=2")
    assert found["totals"]["events"] >= 1
    assert len(found["hours"]) == 2 and TIME.fullmatch(found["since"])
    assert (found["held"], found["waiting"], found["unknown"]) == ([], 0, 0)


def test_an_adaptor_is_configured_without_its_secrets_ever_coming_back(api):  # noqa: F811
    assert {one["state"] for one in api.get("/adaptors")["items"]} == {"not_configured"}
    secret = "smtp://shop:canary0123456789@127.0.0.1:9"
    config = {"smtp_url": secret, "from": "Shop <shop@example.com>"}
    saved = api.done("PUT", "/adaptors/email", {"config": config, "active": False}, scope="admin")
    assert (saved["state"], saved["config"]["from"]) == ("inactive", "Shop <shop@example.com>")
    assert "smtp_url" in saved["secrets"] and "canary" not in repr(saved)
    again = api.done(
        "PUT", "/adaptors/email", {"config": {"from": "Shop <hi@example.com>"}, "active": False}, scope="admin"
    )
    assert "smtp_url" in again["secrets"], "a secret that is left out stays"
    refused = api.ask("POST", "/adaptors/email/activate")
    assert refused.status == 422 and "canary" not in refused.detail
    assert api.get("/adaptors/email")["state"] == "inactive"
    assert api.done("POST", "/adaptors/email/deactivate", scope="admin")["state"] == "inactive"
    wrong = api.ask("PUT", "/adaptors/email", {"config": {"form": "x"}})
    assert "config.form" in wrong.errors and "config.from" in wrong.errors
    assert api.ask("POST", "/adaptors/webhook/activate").status == 409
    assert api.ask("GET", "/adaptors/user").status == 404, "built in"
    entries = api.get("/audit?kind=adaptor&name=email", "admin")["items"]
    assert [one["by"] for one in entries] == ["key admin-key"] * 2 and "canary" not in repr(entries)


def test_a_message_is_written_by_hand_once(api):  # noqa: F811
    config = {"smtp_url": "smtp://127.0.0.1:9", "from": "Shop <shop@example.com>"}
    api.done("PUT", "/adaptors/email", {"config": config, "active": False}, scope="admin")
    body = {
        "action": "email.send",
        "fields": {"to": "gail@example.com", "subject": "Hello", "text": "By hand"},
        "form": "0" * 32,
    }
    made = api.done("POST", "/messages", body, status=201)
    assert (made["state"], made["recipient"], made["rule"]) == ("waiting", "gail@example.com", "")
    assert api.done("POST", "/messages", body, status=201)["id"] == made["id"]
    told = api.get(f"/messages/{made['id']}")
    assert told["event"]["properties"] == {"by": "key write-key", "action": "email.send"}
    assert [one["message"]["id"] for one in told["messages"]] == [made["id"]]
    assert [one["id"] for one in api.get("/messages?state=waiting&adaptor=email")["items"]] == [made["id"]]
    missing = api.ask("POST", "/messages", {"action": "email.send", "fields": {}}, scope="write")
    assert missing.errors["fields.to"]
    assert api.ask("POST", "/messages", {"action": "fax.send", "fields": {}}, scope="write").errors.keys() == {"action"}
    assert api.ask("POST", "/messages", {"action": "user.update", "fields": {}}, scope="write").status == 422
    assert api.ask("POST", "/messages", {"action": "webhook.request", "fields": {}}, scope="write").status == 409
    assert api.get("/overview")["waiting"] == 1


def test_alerts_and_replies_are_listed(api):  # noqa: F811
    assert api.get("/alerts") == {"items": [], "open": [], "next": None}
    assert api.get("/replies?show=flagged") == {"items": [], "next": None}
    assert api.ask("PATCH", "/replies/1", {"handled": True}, scope="write").status == 404
    assert api.ask("POST", "/replies/1/answer", {"body": "Hi"}, scope="write").status == 404
