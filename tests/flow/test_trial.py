"""`oncue test`, `plan` and `explain` say what would happen and what is wrong, all of it."""

import sqlite3
from contextlib import closing

import msgspec

from house import ANN, RULES, ann
from oncue.cli.terminal import print_rows
from oncue.core import clock
from oncue.testing import Oncue

OFFER = RULES.replace("category: transactional", "category: promotional", 1).replace(
    "triggers: [booking_confirmed]", "triggers: [offer, oncue.opted_in]"
)

# What `oncue test` foresees


def tried(oncue: Oncue, rules: str, event: dict, who: dict | None = None, *more: str):
    path = oncue.folder / "tried.yaml"
    path.write_text(rules)
    given = ["--user-properties", msgspec.json.encode(who).decode()] if who else []
    return oncue.run("test", str(path), "--user", "ann", "--event", msgspec.json.encode(event).decode(), *given, *more)


def test_it_foresees_what_would_become_of_each_message(start):
    oncue = start(RULES)
    for rules, event, said in (
        (RULES, {"name": "booking_confirmed"}, f"would go to {ANN} from +15005550006"),
        (OFFER, {"name": "offer"}, "would not be sent: ann has not opted in to promotional messages."),
        (OFFER, {"name": "offer", "user_properties": {"consent_promotional": True}}, f"would go to {ANN}"),
        (OFFER, {"name": "oncue.opted_in"}, f"would go to {ANN}"),
        (RULES.replace("  twilio:", "  twilio:\n    state: inactive"), {"name": "booking_confirmed"}, "but not now: It would wait, since the adaptor twilio is not active."),
        (RULES, {"type": "event", "user": "ann", "name": "booking_confirmed", "user_properties": {"phone_number": "abc"}}, "would not be sent: 'abc' is not a phone number"),
    ):  # fmt: skip
        who = {name: value for name, value in ann().items() if name not in event.get("user_properties", {})}
        given = {"properties": {"booking_id": 1}, **event}
        told = tried(oncue, rules, given, who)
        assert said in " ".join(told.stdout.split()), told.stdout + told.stderr
        (first, *_) = msgspec.json.decode(tried(oncue, rules, given, who, "--json").stdout)
        outcome = "refused" if "not be sent" in said else "waits" if "not now" in said else "sends"
        assert first["foreseen"][0]["outcome"] == outcome
        assert first["foreseen"][0]["recipient"] in (ANN, "abc")


def test_a_stop_counts_there_too(start, carrier):
    oncue = start(RULES)
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    carrier.text(ANN, "STOP")
    oncue.wait_for_event("twilio.black_listed_error")
    told = tried(oncue, RULES, {"name": "booking_confirmed", "properties": {"booking_id": 2}})
    assert f"would not be sent: {ANN} opted out of messages from +15005550006" in told.stdout


def test_what_is_no_event_is_refused_as_at_the_door(start):
    oncue = start(RULES)
    for event, said in (
        ({"name": "offer", "user": "bob"}, "'bob', and --user says 'ann'"),
        ({"name": "offer", "propertys": {}}, "There is no field 'propertys'"),
        ({"type": "user"}, "not an item of type 'user'"),
        ({}, "name is required"),
        ({"name": "offer", "properties": []}, "properties must be an object"),
    ):
        told = tried(oncue, RULES, event)
        assert told.returncode == 1 and said in told.stderr


# Every fault, and no more notes than anybody reads

FAULTY = """
adaptors:
  twilio:
    account_sid: AC1
    auth_token: " x"
    default_sender: this is way too long a sender
    sender_rates: {"+15005550006": fast}
  email: {smtp_url: "ftp://x", from: nobody}
rules:
  - key: a
    state: "on"
    category: transactional
    triggers: [x]
    actions:
      - {action: twilio.send_message, to: banana, body: hi, media_urls: [nope, "https://a.example/b.png", "{{ event.u }}"]}
      - {action: twilio.send_message, to: "+1", body: hi, from: MG0123456789abcdef0123456789abcdef}
      - {action: twilio.send_message, to: "086 123 4567", body: hi, media_urls: [" "]}
      - {action: twilio.send_message, to: "[020] 7946–0958", body: hi}
      - {action: twilio.send_message, to: "12{{ event.n }}", body: hi}
"""


def test_every_fault_is_said_at_once(start):
    oncue = start(RULES)
    path = oncue.folder / "faulty.yaml"
    path.write_text(FAULTY)
    told = oncue.run("apply", str(path), "--no-check")
    assert told.returncode == 1
    for line, words in (
        (4, "account_sid: "), (5, "auth_token: The Auth Token has a space"), (6, "default_sender: "), (7, "sender_rates: "), (8, "smtp_url: "), (8, "from: "),
        (15, "to: 'banana' is not a phone number."), (15, "media_urls: 'nope' is not a web address"),
        (16, "to: '+1' is not a phone number."), (16, "write it as messaging_service_sid"),
    ):  # fmt: skip
        assert any(f"faulty.yaml:{line}: " in said and words in said for said in told.stderr.splitlines()), (words, told.stderr)  # fmt: skip
    assert "has 10 faults" in told.stderr.replace("\n", " ")


def test_of_many_rules_without_events_a_few_are_named(start):
    oncue = start(RULES)
    path = oncue.folder / "many.yaml"
    rule = '  - {key: r%d, state: "on", triggers: [e%d], actions: [{action: event.emit, name: x%d}]}\n'
    path.write_text("rules:\n" + "".join(rule % (n, n, n) for n in range(50)))
    told = oncue.run("plan", str(path))
    assert told.returncode == 0 and told.stderr.count("has been seen yet; did you mean") + told.stderr.count("has been seen yet.") == 21  # fmt: skip
    assert "30 more triggers are events of which none has been seen yet." in told.stderr.replace("\n", " ")


# What holds a message


def test_explain_says_that_it_waits_for_its_adaptor(start):
    oncue = start(RULES.replace("  twilio:", "  twilio:\n    state: inactive"))
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    (message,) = oncue.wait_for_messages(1, "state = 'waiting'")
    told = " ".join(oncue.run("explain", message["id"]).stdout.split())
    assert "waiting: It waits because the adaptor Twilio is not active" in told


# For programs, and for people who mistype


def test_faults_are_json_for_who_asks_for_json(start):
    oncue = start(RULES)
    path = oncue.folder / "faulty.yaml"
    path.write_text(FAULTY)
    told = oncue.run("apply", str(path), "--no-check", "--json")
    faults = msgspec.json.decode(told.stdout)["faults"]
    assert told.returncode == 1 and len(faults) == 10
    assert faults[0] == {"file": str(path), "line": 4, "field": "account_sid", "sentence": faults[0]["sentence"]}


def test_a_state_that_there_is_not_is_no_empty_listing(start):
    told = start(RULES).run("messages", "--state", "acepted")
    assert told.returncode == 1 and "There is no state 'acepted'; did you mean 'accepted'?" in told.stderr


def test_one_long_property_does_not_fill_up_every_row(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    rows = [{"a": "ann", "b": "x" * 20_000}, {"a": "b", "b": "y"}]
    print_rows(rows, {one: lambda row, one=one: row[one] for one in "ab"}, as_json=False, nothing="")
    assert capsys.readouterr().out == f"a    b\nann  {'x' * 20_000}\nb    y\n"


def test_a_token_that_a_new_address_empties_is_asked_for_with_the_reason(start):
    oncue = start(RULES)
    path = oncue.folder / "moved.yaml"
    path.write_text(
        'adaptors: {twilio: {account_sid: "${env:TWILIO_ACCOUNT_SID}", api_base_url: "http://127.0.0.1:1"}}'
    )
    told = oncue.run("plan", str(path))
    assert (
        told.returncode == 1
        and "auth_token: Auth Token is required. What is saved is for another address" in told.stderr
    )
    path.write_text('adaptors: {twilio: {api_base_url: "${env:TWILIO_URL}"}}')  # the same address: nothing is emptied
    told = oncue.run("plan", str(path))
    assert (
        told.returncode == 1
        and "account_sid: Account SID is required.\n" in told.stderr
        and "another address" not in told.stderr
    )


def test_a_token_that_was_never_given_is_asked_for_without_that_reason(start):
    oncue = start('api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]')
    path = oncue.folder / "first.yaml"
    path.write_text('adaptors: {twilio: {account_sid: "${env:TWILIO_ACCOUNT_SID}"}}')
    told = oncue.run("plan", str(path))
    assert told.returncode == 1 and "auth_token: Auth Token is required.\n" in told.stderr


def test_what_was_said_later_counts_for_more_than_what_an_old_event_says(start):
    oncue = start(RULES)
    oncue.event("ann", "booked", {}, user_properties=ann(consent_promotional=False))
    of_then = {"properties": {"booking_id": 1}, "timestamp": clock.now() - 5 * 86_400_000}
    for event in (
        {"name": "offer", "user_properties": {"consent_promotional": True}, **of_then},
        {"name": "oncue.opted_in", **of_then},
    ):
        told = tried(oncue, OFFER, event)
        assert "would not be sent: ann opted out of promotional messages." in told.stdout


def test_a_rule_saved_with_what_is_refused_by_now_still_does_the_rest(start):
    oncue = start(RULES)
    spec = oncue.query("SELECT spec FROM store_rule WHERE key = 'booking-confirmation'")[0][0]
    rule = msgspec.json.decode(spec)
    rule["actions"][0]["fields"]["to"] = "banana"
    rule["actions"].append({"action": "event.emit", "fields": {"name": "told"}})
    oncue.stop()
    with closing(sqlite3.connect(oncue.folder / "data" / "oncue.db")) as file, file:
        file.execute("UPDATE store_rule SET spec = ? WHERE key = ?", [msgspec.json.encode(rule).decode(), rule["key"]])
        file.execute("UPDATE store_setting SET value = value + 1 WHERE name = 'config_version'")
    oncue.start()
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann())
    oncue.wait_for_event("told")
    assert "'banana' is not a phone number" in oncue.wait_for_event("twilio.failed")[0]["error_message"]
