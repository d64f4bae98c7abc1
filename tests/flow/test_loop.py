"""The loop: an event goes in, a text goes out, its status comes back and triggers the next rule."""

from house import ANN, RULES, ann


def test_an_event_becomes_a_text_and_its_statuses_come_back(start, carrier):
    oncue = start()
    event = oncue.event("ann", "booking_confirmed", {"booking_id": "B1"}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    assert [text["body"] for text in carrier.phone(ANN)] == ["Hi Ann, booking B1 is confirmed."]
    assert oncue.event_names("ann") == ["booking_confirmed", "twilio.queued", "twilio.sent", "twilio.delivered"]
    told = oncue.run("explain", event).stdout
    for words in ("booking_confirmed", "acted", "Hi Ann", "attempt 1", "201", "twilio.delivered (from the provider)"):
        assert words in told


def test_an_undelivered_text_is_followed_by_an_e_mail(start, carrier, mailbox):
    carrier.fault("undelivered", to=ANN, code=30003)
    oncue = start(SMTP_URL=mailbox.url)
    oncue.event("ann", "booking_confirmed", {"booking_id": "B2"}, user_properties=ann())
    oncue.wait_for_event("email.sent")
    assert [(mail["To"], mail["Subject"]) for mail in mailbox.messages] == [("ann@example.com", "Booking B2")]
    (status,) = oncue.wait_for_event("twilio.undelivered")
    assert status["error_code"] == "30003" and "off or out of reach" in status["error_message"]
    assert status["trigger"] == {"booking_id": "B2"}
    assert {"message_id", "rule", "to", "from", "status"} <= status.keys()


def test_a_bad_number_raises_failed_so_that_the_e_mail_still_goes(start, mailbox):
    oncue = start(SMTP_URL=mailbox.url)
    oncue.event("ann", "booking_confirmed", {"booking_id": "B3"}, user_properties=ann(phone_number="12"))
    oncue.wait_for_event("email.sent")
    (message, mail) = oncue.wait_for_messages(2)
    assert message["state"] == "rejected" and "'12' is not a phone number" in message["reason"]
    assert mail["state"] == "accepted"


def test_a_carrier_s_refusal_raises_failed(start, carrier, mailbox):
    carrier.fault("refuse", to=ANN, code=21211)
    oncue = start(SMTP_URL=mailbox.url)
    oncue.event("ann", "booking_confirmed", {"booking_id": "B4"}, user_properties=ann())
    oncue.wait_for_event("email.sent")
    (failed,) = oncue.wait_for_event("twilio.failed")
    assert failed["error_code"] == "21211"


def test_rules_that_trigger_each_other_are_cut_and_it_is_said(start):
    rules = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
rules:
  - {key: ping, state: "on", triggers: [start, pong], actions: [{action: event.emit, name: ping}]}
  - {key: pong, state: "on", triggers: [ping], actions: [{action: event.emit, name: pong}]}
"""
    oncue = start(rules)
    again = oncue.run("apply", str(oncue.folder / "rules.yaml"))
    assert "may trigger one another: ping → pong → ping" in again.stderr
    oncue.event("u", "start")
    oncue.wait_for_event("rule.chain_cut")
    names = oncue.event_names("u")
    assert names.count("ping") + names.count("pong") == 10 and names.count("rule.chain_cut") == 1
    (last,) = oncue.query("SELECT id FROM store_event WHERE depth = 10")
    assert "cut at 10 links" in oncue.run("explain", *last).stdout


def test_a_rule_may_set_properties_of_the_user(start):
    rules = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
rules:
  - key: gold
    state: "on"
    triggers: [order_placed]
    conditions: [event.total > 100]
    actions: [{action: user.update, properties: {plan: gold, orders: "{{ event.count }}", old: null}}]
"""
    oncue = start(rules)
    oncue.post({"type": "user", "user": "u", "properties": {"old": 1, "plan": "tin"}})
    oncue.event("u", "order_placed", {"total": "100.50", "count": 3})
    assert oncue.json("users", "show", "u")["properties"] == {"plan": "gold", "orders": 3}


def test_a_message_waits_for_its_adaptor_and_goes_when_it_is_active_again(start, carrier):
    oncue = start()
    inactive = RULES.replace("  twilio:\n", "  twilio:\n    state: inactive\n")
    assert "deactivated: adaptor twilio" in oncue.apply(inactive, "--no-check")
    oncue.event("ann", "booking_confirmed", {"booking_id": "B5"}, user_properties=ann())
    (message,) = oncue.wait_for_messages(1)
    assert message["state"] == "waiting"
    printed = oncue.apply(inactive.replace("messages_per_second: 0", "messages_per_second: 5"), "--no-check")
    assert "1 message waits, held until its send-by time" in printed
    assert "activated: adaptor twilio (1 message that waited is sent now" in oncue.apply(RULES, "--no-check")
    oncue.wait_for_event("twilio.delivered")


def test_a_rule_turned_off_stops_what_still_waits_of_it(start, carrier):
    oncue = start(RULES.replace("messages_per_second: 0", "messages_per_second: 0.2"))
    for n in range(3):
        oncue.event("ann", "booking_confirmed", {"booking_id": n}, user_properties=ann())
    oncue.wait_for_messages(3)
    off = RULES.replace('state: "on"', 'state: "off"', 1)
    oncue.apply(off, "--no-check")
    oncue.wait_for_messages(2, "state = 'canceled'")
    assert carrier.state(counts=True)["accepted"] == 1


def test_without_a_public_url_statuses_and_replies_are_polled(start, carrier):
    oncue = start(public=False)
    oncue.event("ann", "booking_confirmed", {"booking_id": "B6"}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered", within=20)
    assert all("StatusCallback" not in one["parameters"] for one in carrier.state()["messages"])
    assert oncue.event_names("ann") == ["booking_confirmed", "twilio.queued", "twilio.sent", "twilio.delivered"]
    carrier.text(ANN, "Thanks!")
    (reply,) = oncue.wait_for_event("twilio.received", within=20)
    assert reply["body"] == "Thanks!"
    assert oncue.query("SELECT user_id FROM store_event WHERE name = 'twilio.received'") == [("ann",)]


def test_it_ends_cleanly_on_sigterm(start):
    oncue = start()
    oncue.event("ann", "booking_confirmed", {"booking_id": "B7"}, user_properties=ann())
    assert oncue.stop() in (0, -15)
    (message,) = oncue.messages()
    assert message["state"] == "accepted"


def test_what_a_template_makes_of_a_built_in_action_s_fields_is_checked(start):
    rules = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
rules:
  - {key: set, state: "on", triggers: [set], actions: [{action: user.update, properties: "{{ event.given }}"}]}
  - {key: say, state: "on", triggers: [say], actions: [{action: event.emit, name: "{{ event.name }}"}]}
"""
    oncue = start(rules)
    oncue.event("u", "set", {"given": {"plan": "gold"}})
    assert oncue.json("users", "show", "u")["properties"] == {"plan": "gold"}
    oncue.event("u", "set", {"given": "gold"})
    oncue.event("u", "say", {"name": "twilio.delivered"})
    refused = oncue.wait_for_event("message.suppressed", 2)
    assert "must be a map" in refused[0]["error_message"]
    assert "'twilio.delivered' begins like one that oncue" in refused[1]["error_message"]
    assert "twilio.delivered" not in oncue.event_names("u")
    fixed = rules.replace("{{ event.name }}", "twilio.delivered")
    (oncue.folder / "rules.yaml").write_text(fixed)
    done = oncue.run("apply", str(oncue.folder / "rules.yaml"))
    assert done.returncode == 1 and "choose another" in done.stderr
