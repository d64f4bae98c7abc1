"""Rules by way of the management API: the same model as the file's and the builder's."""

from __future__ import annotations

from typing import Any

from managing import api  # noqa: F401 a fixture
from oncue.rules.document import read_document

RULE: dict[str, Any] = {
    "key": "booking",
    "name": "Booking",
    "state": "on",
    "category": "transactional",
    "triggers": ["booked"],
    "conditions": ["event.amount >= 10"],
    "actions": [
        {
            "action": "email.send",
            "to": "{{ user.email }}",
            "subject": "Booking {{ event.id }}",
            "text": "Hi {{ user.first_name }}",
        }
    ],
}


def made(api: Any, key: str, **more: Any) -> dict[str, Any]:  # noqa: F811
    found: dict[str, Any] = api.done("POST", "/rules", {**RULE, "key": key, **more}, status=201)
    return found


def test_a_rule_is_made_as_a_file_would_make_it(api):  # noqa: F811
    rule = made(api, "made")
    assert {name: rule[name] for name in RULE} == {**RULE, "key": "made"}
    assert (rule["send_within"], rule["ignore_quiet_hours"], rule["revision"], rule["origin"]) == ("4h", False, 1, "ui")
    assert rule["faults"] == [] and rule["archived_at"] is None
    assert api.get("/rules/made") == rule
    assert "made" in [one["key"] for one in api.get("/rules")["items"]]
    exported = api.run("export").stdout
    document, faults = read_document(exported, "f", __import__("oncue.adaptors").adaptors.load(), {})
    assert not faults and "made" in [one.key for one in document.rules or []]


def test_a_key_is_made_of_the_name_and_never_twice(api):  # noqa: F811
    named = {name: value for name, value in RULE.items() if name != "key"} | {"name": "Spring Sale!"}
    assert api.done("POST", "/rules", named, status=201)["key"] == "spring-sale"
    assert api.done("POST", "/rules", named, status=201)["key"] == "spring-sale-2"
    taken = api.ask("POST", "/rules", {**RULE, "key": "spring-sale"})
    assert taken.status == 409 and "spring-sale already" in taken.detail


def test_every_fault_of_a_rule_is_said_with_its_path(api):  # noqa: F811
    action = {"action": "email.send", "to": "{{ user.email", "text": "x", "colour": "red"}
    wrong = {
        **RULE,
        "key": "wrong",
        "category": None,
        "send_within": "soon",
        "conditions": ["event.amount >="],
        "actions": [action],
    }
    refused = api.ask("POST", "/rules", wrong)
    assert refused.status == 422
    assert refused.errors.keys() == {
        "", "send_within", "conditions[0]", "actions[0].to", "actions[0].subject", "actions[0].colour",
    }  # fmt: skip
    assert refused.errors["actions[0].subject"] == "Subject is required."
    assert api.ask("GET", "/rules/wrong").status == 404
    shape = api.ask("POST", "/rules", {**RULE, "state": "maybe", "trigers": [], "triggers": "booked"})
    assert shape.errors.keys() == {"state", "trigers", "triggers"}


def test_a_rule_is_replaced_unless_somebody_else_changed_it(api):  # noqa: F811
    made(api, "replaced")
    body = {name: value for name, value in RULE.items() if name != "key"}
    second = api.done("PUT", "/rules/replaced?revision=1", {**body, "name": "Renamed"})
    assert (second["name"], second["revision"]) == ("Renamed", 2)
    stale = api.ask("PUT", "/rules/replaced?revision=1", body)
    assert stale.status == 409 and "The newest revision is 2, not 1" in stale.detail
    assert api.done("PUT", "/rules/replaced", {**body, "name": "Renamed"})["revision"] == 2, "nothing differs"
    assert api.ask("PUT", "/rules/replaced", {**body, "key": "other"}).errors.keys() == {"key"}
    assert api.ask("PUT", "/rules/nothing", body).status == 404


def test_a_rule_is_switched_archived_and_brought_back_off(api):  # noqa: F811
    made(api, "switched", state="off")
    assert api.done("PUT", "/rules/switched/state", {"state": "test"})["state"] == "test"
    assert api.ask("PUT", "/rules/switched/state", {"state": "loud"}).status == 422
    assert api.done("POST", "/rules/switched/archive")["archived_at"]
    assert "switched" not in [one["key"] for one in api.get("/rules")["items"]]
    assert "switched" in [one["key"] for one in api.get("/rules?archived=true")["items"]]
    assert api.ask("PUT", "/rules/switched/state", {"state": "on"}).status == 409
    back = api.done("POST", "/rules/switched/restore")
    assert (back["state"], back["archived_at"]) == ("off", None)
    assert api.done("POST", "/rules/switched/restore")["revision"] == back["revision"], "it is there already"


def test_every_revision_is_kept_and_can_be_made_the_newest(api):  # noqa: F811
    made(api, "revised")
    body = {name: value for name, value in RULE.items() if name != "key"}
    api.done("PUT", "/rules/revised", {**body, "name": "Second", "state": "off"})
    listed = api.get("/rules/revised/revisions")["items"]
    assert [(one["revision"], one["by"], one["rule"]["name"]) for one in listed] == [
        (2, "key write-key", "Second"),
        (1, "key write-key", "Booking"),
    ]
    third = api.done("POST", "/rules/revised/revisions/1/restore")
    assert (third["revision"], third["name"], third["state"]) == (3, "Booking", "off")
    assert api.ask("POST", "/rules/revised/revisions/9/restore", scope="write").status == 404
    verbs = [one["verb"] for one in api.get("/audit?kind=rule&name=revised", "admin")["items"]]
    assert verbs == ["changed", "changed", "created"]


def test_rules_are_listed_a_page_at_a_time(api):  # noqa: F811
    for key in ("page-a", "page-b", "page-c"):
        made(api, key)
    first = api.get("/rules?after=page-&limit=2")
    assert [one["key"] for one in first["items"]] == ["page-a", "page-b"]
    assert api.get(first["next"].removeprefix("/api/v1"))["items"][0]["key"] == "page-c"


def test_a_rule_is_tried_and_nothing_is_kept(api):  # noqa: F811
    config = {"smtp_url": "smtp://127.0.0.1:9", "from": "Shop <shop@example.com>"}
    api.done("PUT", "/adaptors/email", {"config": config, "active": False}, scope="admin")
    body = {"rule": RULE, "user": "nobody-yet", "event": {"name": "booked", "properties": {"amount": 12, "id": "7"}},
            "user_properties": {"email": "ann@example.com", "first_name": "Ann"}}  # fmt: skip
    tried = api.done("POST", "/rule-tests", body, scope="read")
    assert (tried["triggered"], tried["acts"]) == (True, True)
    assert tried["conditions"] == [
        {"condition": "event.amount >= 10", "held": True, "seen": 12, "missing": False, "parts": []}
    ]
    action = tried["actions"][0]
    assert (action["outcome"], action["reason"], action["recipient"]) == ("waits", "inactive", "ann@example.com")
    assert (action["fields"]["subject"], action["fields"]["text"]) == ("Booking 7", "Hi Ann")
    body["user_properties"] = {"email": "ann@example.com"}
    refused = api.done("POST", "/rule-tests", body, scope="read")["actions"][0]
    assert (refused["outcome"], refused["reason"]) == ("refused", "missing_value")
    body["event"] = {"name": "other", "properties": {}}
    other = api.done("POST", "/rule-tests", body, scope="read")
    assert (other["triggered"], other["acts"], other["conditions"][0]["missing"]) == (False, False, True)
    assert api.ask("GET", "/users/nobody-yet").status == 404
    assert api.ask("POST", "/rule-tests", {**body, "rule": "nothing"}).status == 404
    assert api.ask("POST", "/rule-tests", {**body, "rule": {**RULE, "conditions": ["?"]}}).errors.keys() == {
        "conditions[0]"
    }


def test_a_rule_is_tried_on_what_happened(api):  # noqa: F811
    api.event(
        "carl", "booked", {"amount": 50, "id": "9"}, user_properties={"email": "c@example.com", "first_name": "Carl"}
    )
    api.event("carl", "booked", {"amount": 5})
    made(api, "back", state="off")
    found = api.done("POST", "/rule-backtests", {"rule": "back"}, scope="read")
    assert (found["evaluated"], found["matched"], found["complete"]) == (2, 1, True)
    assert found["not_matched"] == {"event.amount >= 10 did not hold": 1}
    assert found["samples"][0]["user"] == "carl"


def test_opt_outs_are_added_lifted_and_given_out(api):  # noqa: F811
    line = {"address": "+353 86 111 1111", "scope": "+15005550006", "reason": "on the phone"}
    assert api.done("POST", "/opt-outs", line) == {"changed": True}
    assert api.done("POST", "/opt-outs", line) == {"changed": False}
    (found,) = api.get("/opt-outs?state=active")["items"]
    assert (found["address"], found["scope"], found["source"]) == (
        "+353861111111", "+15005550006", "key write-key: on the phone",
    )  # fmt: skip
    table = api.ask("GET", "/opt-outs.csv", scope="read")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.body.decode().splitlines()[1].startswith("+353861111111,+15005550006,key write-key: on the phone,2")
    lift = {**line, "address": "+353861111111"}
    assert api.ask("POST", "/opt-outs/lift", {**lift, "reason": " "}).status == 422
    assert api.done("POST", "/opt-outs/lift", lift) == {"changed": True}
    assert api.ask("POST", "/opt-outs/lift", lift).status == 409
    assert api.get("/opt-outs?state=active")["items"] == []
    assert api.ask("POST", "/opt-outs", {**line, "address": "Ann"}).status == 422
    text = "address,scope\n+353861111111,+15005550006\n+353862222222,+15005550006\n"
    assert api.done("POST", "/opt-outs/import", {"csv": text}) == {"read": 2, "added": 2}
    assert api.done("POST", "/opt-outs/import", {"csv": text}) == {"read": 2, "added": 0}
    wrong = api.ask("POST", "/opt-outs/import", {"csv": "address,scope\nAnn,x\n"})
    assert wrong.errors["csv"].startswith("Line 2:")


def test_a_message_that_waits_is_called_off_and_sent_again(api):  # noqa: F811
    config = {"smtp_url": "smtp://127.0.0.1:9", "from": "Shop <shop@example.com>"}
    api.done("PUT", "/adaptors/email", {"config": config, "active": False}, scope="admin")
    fields = {"to": "gail@example.com", "subject": "Hello", "text": "By hand"}
    message = api.done("POST", "/messages", {"action": "email.send", "fields": fields}, status=201)["id"]
    waits = api.ask("POST", f"/messages/{message}/resend", {"reason": "why not"})
    assert waits.status == 409 and waits.detail.startswith("It is still waiting")
    assert api.done("POST", f"/messages/{message}/cancel", {"reason": "too late"})["state"] == "canceled"
    assert api.ask("POST", f"/messages/{message}/cancel", {"reason": "too late"}).status == 409
    assert api.ask("POST", "/messages/nothing/cancel", {"reason": "x"}).status == 404
    assert api.ask("POST", f"/messages/{message}/resend", {"reason": ""}).status == 422
    again = {"reason": "after all", "number": 0}
    copy = api.done("POST", f"/messages/{message}/resend", again, status=201)
    assert (copy["state"], copy["id"] == message) == ("waiting", False)
    assert api.done("POST", f"/messages/{message}/resend", again, status=201)["id"] == copy["id"]
