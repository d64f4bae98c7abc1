"""Create: the official package, unchanged, gets what Twilio would answer."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from oncue.core import clock
from oncue.simulator import defaults

ANN = "+15005551001"
PICTURE = "https://example.com/{}.jpg"


def in_seconds(seconds):
    return datetime.fromtimestamp(clock.now() / 1_000 + seconds, UTC)


def test_a_text_by_number_is_queued_with_every_property_in_twilio_s_form(client, simulator):
    simulator.dial(pace=60)
    message = client.messages.create(to=ANN, from_=defaults.LONG_CODE, body="Hello")
    assert re.fullmatch("SM[0-9a-f]{32}", message.sid)
    assert (message.to, message.from_, message.body) == (ANN, defaults.LONG_CODE, "Hello")
    assert (message.account_sid, message.messaging_service_sid) == (defaults.ACCOUNT_SID, None)
    assert (message.status, message.direction) == ("queued", "outbound-api")
    assert (message.num_segments, message.num_media) == ("1", "0")  # strings, as Twilio has them
    assert (message.error_code, message.error_message, message.price, message.price_unit) == (None, None, None, "USD")
    assert message.api_version == "2010-04-01"
    assert message.uri == f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages/{message.sid}.json"
    assert message.subresource_uris["media"] == message.uri.replace(".json", "/Media.json")
    assert abs(message.date_created - in_seconds(0)) < timedelta(seconds=5)
    assert (message.date_updated, message.date_sent) == (message.date_created, None)


def test_every_parameter_of_the_package_is_taken(client, simulator):
    message = client.messages.create(
        to=ANN, messaging_service_sid=defaults.SERVICE_SID, from_=defaults.SECOND_LONG_CODE, body="Hello",
        status_callback="http://127.0.0.1:9/status?ref=1", application_sid="AP" + "0" * 32, max_price=1.0,
        provide_feedback=True, attempt=2, validity_period=600, force_delivery=False, content_retention="retain",
        address_retention="obfuscate", smart_encoded=True, persistent_action=["geo:1,2"], traffic_type="free",
        shorten_urls=True, schedule_type="fixed", send_at=in_seconds(3_600),
        send_as_mms=False, content_variables='{"1":"Ann"}', message_intent="otp", risk_check="disable",
        fallback_from=defaults.UK_NUMBER, media_url=[PICTURE.format(1), PICTURE.format(2)], content_sid="HX" + "a" * 32,
    )  # fmt: skip
    assert (message.status, message.num_media) == ("scheduled", "2")
    (kept,) = simulator.state()["messages"]
    assert kept["media"] == [PICTURE.format(1), PICTURE.format(2)]
    assert kept["parameters"].items() >= {
        "ValidityPeriod": "600", "SmartEncoded": "true", "ShortenUrls": "true", "ContentSid": "HX" + "a" * 32,
        "ContentVariables": '{"1":"Ann"}', "StatusCallback": "http://127.0.0.1:9/status?ref=1",
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    "given, prefix, num_media",
    [
        ({"body": "Hello"}, "SM", "0"),
        ({"body": "Hello", "media_url": [PICTURE.format(1)]}, "MM", "1"),
        ({"media_url": [PICTURE.format(n) for n in range(10)]}, "MM", "10"),
        ({"body": "Hello", "send_as_mms": True}, "MM", "0"),
        ({"content_sid": "HX" + "b" * 32}, "SM", "0"),
    ],
)
def test_a_text_has_an_sm_sid_and_a_picture_message_an_mm_sid(client, given, prefix, num_media):
    message = client.messages.create(to=ANN, from_=defaults.LONG_CODE, **given)
    assert (message.sid[:2], message.num_media) == (prefix, num_media)


@pytest.mark.parametrize(
    "body, segments",
    [
        ("a" * 160, "1"), ("a" * 161, "2"), ("a" * 306, "2"), ("a" * 307, "3"), ("€" * 80, "1"), ("€" * 81, "2"),
        ("[" * 153, "3"),  # an escape and its character are not torn apart: 76 pairs in 153
        ("ç", "1"), ("ç" * 71, "2"), ("`" * 70, "1"), ("`" * 71, "2"), ("ж" * 134, "2"), ("ж" * 135, "3"),
        ("😀" * 35, "1"), ("😀" * 36, "2"), ("é" * 160, "1"), ("x" * 1600, "11"),
    ],
)  # fmt: skip
def test_segments_are_counted_as_carriers_do(client, body, segments):
    assert client.messages.create(to=ANN, from_=defaults.LONG_CODE, body=body).num_segments == segments


def test_a_messaging_service_accepts_first_and_picks_the_sender_later(client, simulator, final):
    simulator.dial(pace=0.1)
    message = client.messages.create(to=ANN, messaging_service_sid=defaults.SERVICE_SID, body="Hello")
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    assert client.messages(message.sid).fetch().from_ is None  # still picking
    after = final(message.sid)
    assert after.from_ in defaults.POOL and after.num_segments == "1"
    assert after.messaging_service_sid == defaults.SERVICE_SID
    (kept,) = simulator.state()["messages"]
    assert [status for status, _ in kept["history"]] == ["accepted", "queued", "sent", "delivered"]


def test_a_messaging_service_keeps_to_one_sender_for_one_recipient(client, final):
    senders = {
        final(client.messages.create(to=ANN, messaging_service_sid=defaults.SERVICE_SID, body="Hello").sid).from_
        for _ in range(5)
    }
    assert len(senders) == 1


def test_a_message_by_number_is_queued_sent_delivered_with_times_in_order(client, simulator, final):
    simulator.dial(pace=0.05)
    message = final(client.messages.create(to=ANN, from_=defaults.LONG_CODE, body="Hello").sid)
    assert message.date_sent >= message.date_created and message.date_updated >= message.date_sent
    (kept,) = simulator.state()["messages"]
    statuses, times = zip(*kept["history"], strict=True)
    assert statuses == ("queued", "sent", "delivered")
    assert times[1] - times[0] >= 45 and times[2] - times[1] >= 45  # the pace, in milliseconds, less the clock's grain
    assert [text["body"] for text in simulator.phone(ANN)] == ["Hello"]


@pytest.mark.parametrize("sender", [*defaults.NUMBERS, "Shop 24-7"])
def test_each_number_of_the_account_and_a_name_may_send(client, sender):
    assert client.messages.create(to=ANN, from_=sender, body="Hello").from_ == sender


@pytest.mark.parametrize(
    "user, password, account",
    [
        (defaults.ACCOUNT_SID, defaults.AUTH_TOKEN, ""),
        (defaults.API_KEY_SID, defaults.API_KEY_SECRET, defaults.ACCOUNT_SID),
    ],
)
def test_the_auth_token_and_an_api_key_are_both_let_in(connect, user, password, account):
    message = connect(user, password, account).messages.create(to=ANN, from_=defaults.LONG_CODE, body="Hello")
    assert message.account_sid == defaults.ACCOUNT_SID
    assert connect(user, password, account).api.accounts(defaults.ACCOUNT_SID).fetch().status == "active"
