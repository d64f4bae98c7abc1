"""What is sent to whom and from whom, and what is refused with a sentence before any call."""

import pytest
from twilio_cases import SENDER, SERVICE

from oncue.adaptors.twilio import adaptor
from oncue.core import fields
from oncue.core.adaptor import Impossible, Prepared

ACTION = adaptor.actions[0]


def prepared(config, user=None, **given):
    """As the intake does it: typed by the fields' declarations, then prepared."""
    values, faults = fields.read(ACTION.fields, {"to": "+16175551212", "body": "hello", **given})
    if faults:
        return Impossible(faults[0].field, faults[0].sentence)
    return ACTION.prepare(config, values, user or {})


@pytest.mark.parametrize(
    ("to", "user", "recipient"),
    [
        ("+16175551212", {}, "+16175551212"),
        ("+1 (617) 555-1212", {}, "+16175551212"),
        ("087 123 4567", {"country": "IE"}, "+353871234567"),
        ("087 123 4567", {"country": "ie"}, "+353871234567"),
        ("+44 (0)7911 123456", {}, "+447911123456"),
        ("353871234567", {"country": "IE"}, "+353871234567"),
        *[(f"+1500555000{digit}", {}, f"+1500555000{digit}") for digit in range(1, 10)],
    ],
)
def test_a_number_is_put_into_e164(config, to, user, recipient):
    config["default_sender"] = "+16175550000"
    message = prepared(config, user, to=to)
    assert isinstance(message, Prepared), message
    assert (message.recipient, message.fields["to"]) == (recipient, recipient)


@pytest.mark.parametrize(
    ("to", "user"),
    [
        ("087 123 4567", {}),
        ("+1500555", {}),
        ("12345", {"country": "US"}),
        ("whatsapp:+16175551212", {}),
        ("nobody", {}),
        ("+1 617 555 1212 x5", {}),
    ],
)
def test_what_is_no_number_is_refused_with_a_sentence(config, to, user):
    refused = prepared(config, user, to=to)
    assert isinstance(refused, Impossible) and refused.field == "to" and len(refused.sentence) > 20


def test_a_national_number_without_a_country_says_what_to_do(config):
    assert "country" in prepared(config, {}, to="087 123 4567").sentence


@pytest.mark.parametrize(
    ("default", "given", "sent_from", "service", "scopes"),
    [
        (SENDER, {}, SENDER, None, (SENDER,)),
        (SERVICE, {}, None, SERVICE, (SERVICE,)),
        (SENDER, {"messaging_service_sid": SERVICE}, None, SERVICE, (SERVICE,)),
        (SERVICE, {"from": SENDER}, SENDER, None, (SENDER,)),
        ("", {"from": SENDER, "messaging_service_sid": SERVICE}, SENDER, SERVICE, (SENDER, SERVICE)),
        ("", {"from": "72345"}, "72345", None, ("72345",)),
        ("", {"from": "Shop & Co"}, "Shop & Co", None, ("Shop & Co",)),
    ],
)
def test_the_rule_s_sender_goes_before_the_default_and_opt_outs_follow_the_sender(
    config, default, given, sent_from, service, scopes
):
    config["default_sender"] = default
    message = prepared(config, **given)
    assert isinstance(message, Prepared), message
    assert (message.fields.get("from"), message.fields.get("messaging_service_sid")) == (sent_from, service)
    assert message.scopes == scopes


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"body": ""}, "body"),
        ({"body": "x" * 1601}, "body"),
        ({"body": "😀" * 801}, "body"),
        ({"from": "much too long a name"}, "from"),
        ({"from": "0871234567"}, "from"),
        ({"messaging_service_sid": "MG1"}, "messaging_service_sid"),
        ({"media_urls": ["ftp://example.com/1.png"]}, "media_urls"),
        ({"media_urls": [f"https://example.com/{n}.png" for n in range(11)]}, "media_urls"),
        ({"media_urls": ["https://example.com/1.png"], "to": "+353871234567"}, "media_urls"),
        ({"media_urls": ["https://example.com/1.png"], "to": "+12423591234"}, "media_urls"),
        ({"to": SENDER}, "to"),
        ({"content_sid": "HX1"}, "content_sid"),
        ({"validity_period": "36001"}, "validity_period"),
    ],
)
def test_what_twilio_would_refuse_is_refused_with_a_sentence(config, given, field):
    refused = prepared(config, **given)
    assert isinstance(refused, Impossible) and refused.field == field and len(refused.sentence) > 20


def test_a_body_at_the_limit_is_sent_whole(config):
    assert prepared(config, body="x" * 1600).fields["body"] == "x" * 1600
    assert prepared(config, body="😀" * 800).fields["body"] == "😀" * 800


@pytest.mark.parametrize(
    "content", [{"body": "hi"}, {"media_urls": ["https://example.com/1.png"]}, {"content_sid": "HX" + "0" * 32}]
)
def test_body_media_or_template_is_enough(config, content):
    assert isinstance(prepared(config, **{"body": "", **content}), Prepared)


def test_without_any_sender_it_is_refused(config):
    config["default_sender"] = ""
    assert prepared(config).field == "from"


@pytest.mark.parametrize(
    ("to", "country"), [("+16175551212", "US"), ("+14165551234", "CA"), ("+353871234567", "IE"), (SENDER, "US")]
)
def test_the_country_is_known(config, to, country):
    config["default_sender"] = "+16175550000"
    assert prepared(config, to=to).country == country


@pytest.mark.parametrize(
    ("sender", "more", "rate"),
    [
        ("+16175550000", {}, 1),
        ("+18005550100", {}, 3),
        ("+353871234567", {}, 10),
        ("Shop", {}, 10),
        (SERVICE, {}, 10),
        ("+16175550000", {"messages_per_second": 25.0}, 25),
        ("+16175550000", {"messages_per_second": 25.0, "sender_rates": {"+16175550000": "50"}}, 50),
    ],
)
def test_pacing_follows_the_sender_unless_configured(config, sender, more, rate):
    config.update(default_sender=sender, **more)
    assert prepared(config, to="+353861234567").lane.per_second == rate


def test_two_senders_have_two_lanes(config):
    assert (
        prepared(config, **{"from": "+16175550000"}).lane.key != prepared(config, **{"from": "+16175550001"}).lane.key
    )


def test_a_long_text_is_sent_with_a_warning(config):
    assert prepared(config, body="😀" * 300).warnings and not prepared(config, body="short").warnings
