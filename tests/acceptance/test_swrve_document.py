"""The Swrve document, line by line: its configuration, its fields, its two use cases, its six statuses.

Each test quotes the line it holds oncue to. Everything is real: HTTP in, the carrier's API and signed callbacks, SMTP out.
"""

import pytest

from house import ANN, ann
from oncue.adaptors.twilio import adaptor as twilio
from oncue.simulator import defaults
from oncue.testing import wait_for

SERVICE = defaults.SERVICE_SID

RULES = """
api_keys:
  - {name: shop, key: "${env:SHOP_KEY}"}
adaptors:
  twilio:
    account_sid: "${env:TWILIO_ACCOUNT_SID}"
    auth_token: "${env:TWILIO_AUTH_TOKEN}"
    api_base_url: "${env:TWILIO_URL}"
    messages_per_second: 0
  email: {smtp_url: "${env:SMTP_URL}", from: "Shop <shop@example.com>"}
rules:
  - key: booking
    state: "on"
    category: transactional
    triggers: [booking_confirmed]
    actions:
      - {action: twilio.send_message, body: "Hi {{ user.first_name }}, {{ event.booking_id }} is booked.", to: "{{ user.phone_number }}", from: "+15005550006"}
  - key: by-service
    state: "on"
    category: transactional
    triggers: [seat_changed]
    actions:
      - {action: twilio.send_message, body: "Seat {{ event.seat }}", to: "{{ user.phone_number }}", messaging_service_sid: "SERVICE"}
  - key: pictures
    state: "on"
    category: transactional
    triggers: [photos_ready]
    actions:
      - {action: twilio.send_message, to: "{{ user.phone_number }}", from: "{{ user.shop_number }}", media_urls: "{{ event.pictures }}"}
  - key: everything
    state: "on"
    category: transactional
    triggers: [everything_set]
    actions:
      - action: twilio.send_message
        body: "{{ event.text }}"
        to: "{{ event.to }}"
        from: "{{ event.from | default: '' }}"
        messaging_service_sid: "{{ event.service | default: '' }}"
        media_urls: ["https://pictures.invalid/{{ event.picture }}", "https://pictures.invalid/2.jpeg"]
        validity_period: 600
        smart_encoded: true
        shorten_urls: true
""".replace("SERVICE", SERVICE)

MAIL = """
  - key: mail-{status}
    state: "on"
    category: transactional
    triggers: ["twilio.{status}"]
    actions:
      - {{action: email.send, to: "{{{{ user.email }}}}", subject: "{status} {{{{ event.trigger.booking_id }}}}", text: "{{{{ event.status }}}} to {{{{ event.to }}}} from {{{{ event.from }}}}"}}
"""
STATUSES = ("black_listed_error", "delivered", "failed", "queued", "sent", "undelivered")
ALL = RULES + "".join(MAIL.format(status=status) for status in STATUSES)


def posted(carrier) -> dict:
    """What the one request that the carrier took said, as it was sent."""
    (message,) = carrier.state()["messages"]
    return message["parameters"]


# "Twilio configuration"


def test_account_sid_and_auth_token_are_asked_for_in_the_document_s_words():
    sid, token = twilio.config[:2]
    assert (sid.label, token.label) == ("Account SID", "Auth Token") and sid.required and token.required
    assert sid.help.startswith("Your Twilio account SID that is used as the username for authentication purposes. To view this value, log in to your Twilio dashboard, under Account Summary.")  # fmt: skip
    assert token.help.startswith("Your Twilio auth token that is used as the password for authentication purposes.")


def test_after_saving_the_configuration_is_active_and_can_be_deactivated(start, carrier):
    """After you select Save, the configuration status changes to Active and the Deactivate button is available."""
    oncue = start(ALL)
    assert "ok    twilio: " in oncue.run("check").stdout
    printed = oncue.apply(ALL.replace("  twilio:\n", "  twilio:\n    state: inactive\n"))
    assert "deactivated: adaptor twilio" in printed
    printed = oncue.apply(ALL)
    assert "activated: adaptor twilio" in printed


def test_wrong_credentials_are_not_made_active_and_it_says_why(start, carrier):
    oncue = start(ALL)
    oncue.environ["TWILIO_AUTH_TOKEN"] = "not-the-token"
    done = oncue.run("apply", str(oncue.folder / "rules.yaml"))
    assert done.returncode == 1
    assert "20003" in done.stderr and "Auth Token" in done.stderr


# "Send message"


def test_every_field_of_the_document_reaches_the_carrier(start, carrier):
    labels = {field.name: field.label for field in twilio.action("send_message").fields}
    assert labels["body"] == "Message Body" and labels["to"] == "Message Recipient Phone Number"
    assert labels["from"] == "Sender Number" and labels["messaging_service_sid"] == "Messaging Service SID"
    assert labels["media_urls"] == "MediaURL"
    oncue = start(ALL)
    event = {"text": "Look", "to": ANN, "from": defaults.SECOND_LONG_CODE, "service": SERVICE, "picture": "1.png"}
    oncue.event("ann", "everything_set", event, user_properties=ann())
    (message,) = oncue.wait_for_messages(1, "rule = 'everything' AND state = 'accepted'")
    sent = posted(carrier)
    callback = sent.pop("StatusCallback")
    assert sent == {
        "To": ANN,
        "From": defaults.SECOND_LONG_CODE,
        "MessagingServiceSid": SERVICE,
        "Body": "Look",
        "MediaUrl": ["https://pictures.invalid/1.png", "https://pictures.invalid/2.jpeg"],
        "SmartEncoded": "true",
        "ShortenUrls": "true",
        "ValidityPeriod": "600",
    }
    assert callback == f"{oncue.url}/hooks/twilio/status/{message['id']}#rc=5&rp=all"


def test_when_only_the_messaging_service_is_set_twilio_selects_the_from_number(start, carrier):
    oncue = start(ALL)
    oncue.event("ann", "seat_changed", {"seat": "4F"}, user_properties=ann())
    (delivered,) = oncue.wait_for_event("twilio.delivered")
    sent = posted(carrier)
    assert sent["MessagingServiceSid"] == SERVICE and "From" not in sent
    assert delivered["from"] in defaults.POOL


def test_a_picture_message_takes_ten_media_urls_and_no_body(start, carrier):
    """You may include up to 10 MediaURLs per message. You must include either the Message Body or MediaURL."""
    oncue = start(ALL)
    pictures = [f"https://pictures.invalid/{n}.png" for n in range(10)]
    oncue.event("ann", "photos_ready", {"pictures": pictures}, user_properties=ann(shop_number="+15005550006"))
    oncue.wait_for_event("twilio.delivered")
    sent = posted(carrier)
    assert sent["MediaUrl"] == pictures and "Body" not in sent
    assert carrier.phone(ANN)[0]["media"] == pictures


REFUSED = [
    ("eleven pictures", "photos_ready", {"pictures": ["https://pictures.invalid/1.png"] * 11}, {}, "10"),
    ("no content", "photos_ready", {"pictures": []}, {}, "A message needs content"),
    ("pictures outside the US and Canada", "photos_ready", {"pictures": ["https://pictures.invalid/1.png"]}, {"phone_number": "+353861234567"}, "US and Canada"),
    ("a body over 1600", "everything_set", {"text": "x" * 1601, "to": ANN, "from": "+15005550006", "service": SERVICE, "picture": "1"}, {}, "1600"),
    ("a number in no known form", "booking_confirmed", {"booking_id": 1}, {"phone_number": "555 123"}, "'555 123' is not a phone number"),
    ("a sender that cannot be", "everything_set", {"text": "x", "to": ANN, "from": "not a sender at all", "service": "", "picture": "1"}, {}, "cannot be a sender"),
    ("a service id of the wrong length", "everything_set", {"text": "x", "to": ANN, "from": "", "service": "MG12", "picture": "1"}, {}, "34 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "properties", "who", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])  # fmt: skip
def test_what_cannot_be_sent_is_refused_with_a_sentence_and_raises_failed(start, carrier, name, properties, who, says):
    oncue = start(ALL)
    oncue.event("ann", name, properties, user_properties=ann(shop_number="+15005550006", **who))
    (message,) = oncue.wait_for_messages(1, "adaptor = 'twilio'")
    assert message["state"] == "rejected" and says.lower() in message["reason"].lower(), message["reason"]
    oncue.wait_for_event("twilio.failed")
    assert carrier.state(counts=True)["requests"] == 0


@pytest.mark.parametrize(
    ("given", "country", "sent"),
    [("+1 (617) 555-1212", None, "+16175551212"), ("(617) 555-1212", "US", "+16175551212"), ("086 123 4567", "IE", "+353861234567")],
)  # fmt: skip
def test_the_recipient_is_brought_into_e164(start, carrier, given, country, sent):
    oncue = start(ALL)
    who = {"phone_number": given, **({"country": country} if country else {})}
    oncue.event("ann", "booking_confirmed", {"booking_id": 1}, user_properties=ann(**who))
    oncue.wait_for_event("twilio.delivered")
    assert posted(carrier)["To"] == sent


@pytest.mark.parametrize("sender", ["+15005550006", "12345", "ShopDemo"], ids=["number", "short code", "alphanumeric"])
def test_the_sender_is_a_number_a_short_code_or_an_alphanumeric_sender_id(start, carrier, sender):
    oncue = start(ALL)
    to = ANN if sender[0] in "+1" else "+447700900999"
    event = {"text": "x", "to": to, "from": sender, "service": "", "picture": ""}
    rules = ALL.replace('        media_urls: ["https://pictures.invalid/{{ event.picture }}", "https://pictures.invalid/2.jpeg"]\n', "").replace("        shorten_urls: true\n", "").replace("        messaging_service_sid: \"{{ event.service | default: '' }}\"\n", "")  # fmt: skip
    oncue.apply(rules, "--no-check")
    oncue.event("ann", "everything_set", event, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    assert posted(carrier)["From"] == sender


# "Inbound actions": "You can then use those events as triggers for other actions". Each status sends an e-mail here.


def test_queued_sent_and_delivered_trigger_their_e_mails(start, carrier, mailbox):
    oncue = start(ALL, SMTP_URL=mailbox.url)
    oncue.event("ann", "booking_confirmed", {"booking_id": "B1"}, user_properties=ann())
    wait_for(lambda: len(mailbox.messages) == 3, 10)
    assert {mail["Subject"] for mail in mailbox.messages} == {"queued B1", "sent B1", "delivered B1"}
    assert all(f"to {ANN} from +15005550006" in mail.get_content() for mail in mailbox.messages)


@pytest.mark.parametrize(
    ("status", "code"), [("undelivered", 30007), ("undelivered", 30005), ("failed", 30001), ("failed", 30002)]
)
def test_undelivered_and_failed_trigger_their_e_mails(start, carrier, mailbox, status, code):
    """For example, send an email confirmation if a message status is Undelivered."""
    carrier.fault(status, code=code)
    oncue = start(ALL, SMTP_URL=mailbox.url)
    oncue.event("ann", "booking_confirmed", {"booking_id": "B1"}, user_properties=ann())
    wait_for(lambda: f"{status} B1" in [mail["Subject"] for mail in mailbox.messages], 10)
    (told,) = oncue.wait_for_event(f"twilio.{status}")
    assert told["error_code"] == str(code) and told["error_message"]


def test_black_listed_error_is_sent_when_a_user_replies_stop_to_the_message(start, carrier, mailbox):
    oncue = start(ALL, SMTP_URL=mailbox.url)
    oncue.event("ann", "booking_confirmed", {"booking_id": "B1"}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    carrier.text(ANN, "STOP")
    (told,) = oncue.wait_for_event("twilio.black_listed_error")
    (message,) = oncue.messages("adaptor = 'twilio'")
    assert (told["message_id"], told["rule"], told["status"]) == (message["id"], message["rule"], "black_listed_error")
    assert (told["from"], told["to"], told["body"]) == (ANN, message["sender"], "STOP")
    oncue.event("ann", "booking_confirmed", {"booking_id": "B2"})
    oncue.wait_for_messages(1, "state = 'suppressed' AND adaptor = 'twilio'")
    carrier.text(ANN, "START")
    oncue.wait_for_event("twilio.opted_in")
    oncue.event("ann", "booking_confirmed", {"booking_id": "B3"})
    oncue.wait_for_event("twilio.delivered", 2)
    texts = [text["body"] for text in carrier.phone(ANN) if "booked" in text["body"]]
    assert texts == ["Hi Ann, B1 is booked.", "Hi Ann, B3 is booked."]


def test_explain_tells_one_message_in_plain_words(start, carrier):
    carrier.fault("undelivered", to=ANN, code=30003)
    rules = ALL.replace("    triggers: [booking_confirmed]\n", "    triggers: [booking_confirmed]\n    conditions: [event.amount >= 10, 'user.country in [\"US\", \"IE\"]']\n")  # fmt: skip
    oncue = start(rules)
    oncue.event("ann", "booking_confirmed", {"booking_id": "B1", "amount": 12.5}, user_properties=ann(country="US"))
    oncue.wait_for_event("twilio.undelivered")
    (message,) = oncue.messages("adaptor = 'twilio'")
    told = oncue.run("explain", message["id"]).stdout
    for words in (
        "booking_confirmed", "event.amount >= 10", "12.5", 'user.country in ["US", "IE"]', '"US"',  # the event and each condition with its value
        "Hi Ann, B1 is booked.", ANN, "+15005550006",  # the fields
        "attempt 1", "201", message["provider_id"],  # each attempt
        "twilio.queued", "twilio.sent", "twilio.undelivered", "30003",  # each callback
    ):  # fmt: skip
        assert words in told, (words, told)
    assert oncue.environ["TWILIO_AUTH_TOKEN"] not in oncue.run("explain", message["id"], "--json").stdout
