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


FILE = """rules:
  - key: filed
    name: Filed
    state: "on"
    category: transactional
    triggers: [booked]
    actions:
      - action: email.send
        to: "{{ user.email }}"
        subject: Booking
        text: It is confirmed.
"""


def test_a_rule_is_saved_and_got_as_a_file(api):  # noqa: F811
    saved = api.done("PUT", "/rules/filed/file", {"yaml": FILE})
    assert (saved["key"], saved["revision"], saved["state"], saved["faults"]) == ("filed", 1, "on", [])
    got = api.get("/rules/filed/file")
    assert (got["key"], got["revision"]) == ("filed", 1)
    assert api.done("PUT", "/rules/filed/file?revision=1", {"yaml": got["yaml"]})["revision"] == 1, "nothing differs"
    renamed = got["yaml"].replace("name: Filed", "name: Renamed").replace("\n", "\r\n")
    assert api.done("PUT", "/rules/filed/file", {"yaml": renamed})["name"] == "Renamed"
    stale = api.ask("PUT", "/rules/filed/file?revision=1", {"yaml": FILE}, scope="write")
    assert stale.status == 409 and "The newest revision is 2, not 1" in stale.detail
    assert api.ask("PUT", "/rules/filed/file", {"yaml": FILE}, scope="read").status == 403
    assert api.ask("GET", "/rules/nothing/file").detail == "There is no rule with the key nothing."


def test_what_is_wrong_with_a_file_is_said_with_its_line(api):  # noqa: F811
    def refused(key: str, yaml: str) -> dict[str, str]:
        answer = api.ask("PUT", f"/rules/{key}/file", {"yaml": yaml}, scope="write")
        assert answer.status == 422, answer
        return {one["detail"]: one["field"] for one in answer.json()["errors"]}

    assert set(refused("wrong", "rules: [").values()) == {"yaml"}
    assert "Line 1: One rule belongs here, under rules, not 0." in refused("wrong", "rules: []")
    keyed = refused("wrong", FILE)
    assert "Line 2: The key of a rule is its identity and stays wrong; make a new rule to have another." in keyed, keyed
    faulty = FILE.replace("filed", "drafted").replace("        subject: Booking\n", "")
    assert any(said.endswith("Subject is required.") for said in refused("drafted", faulty))
    assert refused("No", FILE) == {"A key has lower-case letters, digits, - and _, at most 64, not 'No'.": "key"}
    assert api.ask("GET", "/rules/drafted").status == 404
    assert api.ask("PUT", "/rules/drafted/file?revision=1", {"yaml": faulty}).status == 404, "there is no such revision"


def test_a_draft_is_kept_as_a_file_while_it_is_off(api):  # noqa: F811
    draft = FILE.replace("filed", "draft").replace("        subject: Booking\n", "").replace('"on"', '"off"')
    kept = api.done("PUT", "/rules/draft/file", {"yaml": draft})
    assert [(one["field"], one["detail"]) for one in kept["faults"]] == [("actions[0].subject", "Subject is required.")]
    assert api.ask("PUT", "/rules/draft/state", {"state": "on"}, scope="write").errors == {
        "actions[0].subject": "Subject is required."
    }
    api.done("POST", "/rules/draft/archive")
    archived = api.ask("PUT", "/rules/draft/file", {"yaml": draft}, scope="write")
    assert (archived.status, archived.detail) == (409, "The rule draft is archived; restore it first.")


def test_two_revisions_are_compared_line_by_line(api):  # noqa: F811
    made(api, "compared")
    body = {name: value for name, value in RULE.items() if name != "key"}
    api.done("PUT", "/rules/compared", {**body, "name": "Second"})
    lines = api.get("/rules/compared/differences?before=1&after=2")["lines"]
    changed = [(one["kind"], one["text"].strip()) for one in lines if one["kind"] in ("added", "removed")]
    assert changed == [("removed", "name: Booking"), ("added", "name: Second")]
    assert api.get("/rules/compared/differences?before=2&after=2") == {"lines": []}
    assert api.ask("GET", "/rules/compared/differences?before=1&after=9").status == 404
    assert api.ask("GET", "/rules/compared/differences?before=1").errors == {"after": "after is required."}


def test_what_may_not_be_meant_is_said_before_a_rule_is_on(api):  # noqa: F811
    config = {"smtp_url": "smtp://127.0.0.1:9", "from": "Shop <shop@example.com>"}
    api.done("PUT", "/adaptors/email", {"config": config, "active": False}, scope="admin")
    body = {"rule": {**RULE, "triggers": ["never_seen"]}, "user": "ann", "user_properties": {"email": "a@example.com", "first_name": "Ann"},
            "event": {"name": "never_seen", "properties": {"amount": 12, "id": "7"}}}  # fmt: skip
    tried = api.done("POST", "/rule-tests", body, scope="read")
    assert tried["warnings"] == ["No event never_seen has been seen yet."]
    preview = tried["actions"][0]["preview"]
    assert (preview["subject"], preview["text"]) == ("Booking 7", "Hi Ann")
