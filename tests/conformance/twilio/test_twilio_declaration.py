"""The declaration says what the Swrve document and the design say."""

from twilio_cases import ACCOUNT, SERVICE

from oncue.adaptors.twilio import adaptor
from oncue.core import fields

LABELS = {
    "body": "Message Body", "to": "Message Recipient Phone Number", "from": "Sender Number",
    "messaging_service_sid": "Messaging Service SID", "media_urls": "MediaURL",
}  # fmt: skip
EVENTS = {
    "queued", "sent", "delivered", "undelivered", "failed", "black_listed_error", "accepted", "scheduled", "canceled", "read",
    "received", "opted_in",
}  # fmt: skip


def test_the_document_s_labels_are_kept():
    labels = {field.name: field.label for field in adaptor.actions[0].fields}
    assert {name: labels[name] for name in LABELS} == LABELS
    assert [(field.name, field.label) for field in adaptor.config[:2]] == [
        ("account_sid", "Account SID"),
        ("auth_token", "Auth Token"),
    ]


def test_every_field_and_event_has_words_for_a_person():
    for field in (*adaptor.config, *adaptor.actions[0].fields):
        assert field.label and field.help.endswith("."), field.name
    assert all(one.label and one.sentence.endswith(".") for one in adaptor.events)


def test_every_event_of_the_design_is_declared():
    assert {one.name for one in adaptor.events} >= EVENTS
    assert {adaptor.failed, adaptor.suppressed, adaptor.opted_in, adaptor.received} <= EVENTS


def test_every_status_has_an_event_or_is_a_step_between_two():
    assert set(adaptor.statuses) - {one.name for one in adaptor.events} <= {"sending", "partially_delivered"}
    assert adaptor.final <= set(adaptor.statuses)


def test_what_must_stay_secret_is_a_secret():
    assert {field.name for field in adaptor.config if field.is_secret} == {
        "auth_token",
        "auth_token_secondary",
        "api_key_secret",
    }
    assert "api_base_url" in adaptor.clears_secrets


def faults(**given):
    values, found = fields.read(adaptor.config, {"account_sid": ACCOUNT, "auth_token": "t", **given})
    return {fault.field for fault in (*found, *adaptor.check_config(values))}


def test_a_good_configuration_has_no_fault():
    assert not faults(default_sender=SERVICE, sender_rates={SERVICE: "5"}, region="ie1", edge="dublin")


def test_a_bad_configuration_is_told_by_field():
    assert faults(account_sid="SK1") == {"account_sid"}
    assert faults(auth_token="") == {"auth_token"}
    assert faults(api_key_sid="SK" + "0" * 32) & {"api_key_sid", "api_key_secret"}
    assert faults(default_sender="not a sender at all") == {"default_sender"}
    assert faults(sender_rates={"+15005550006": "fast"}) == {"sender_rates"}
    assert faults(region="x.evil.example/#") == {"region"} and faults(edge="evil.example") == {"edge"}
