"""One POST, never repeated, and every answer comes to one outcome (wild bugs 8, 13, 21)."""

import asyncio

import pytest
from twilio_cases import ACCOUNT, MESSAGE, SERVICE, TOKEN, Script, answering, failing, outgoing

from oncue.adaptors.twilio import adaptor
from oncue.core.http import NotKnown, NotSent, Response
from oncue.core.outcome import Blame, Rejected, Retry, Submitted, Suppressed, Unknown

CREATED = {"sid": "SM" + "1" * 32, "status": "queued", "from": "+15005550006", "num_segments": "1"}


def send(http, config, message=None):
    return asyncio.run(adaptor.actions[0].send(http, config, message or outgoing()))


def test_a_message_is_posted_once_with_every_field(config):
    http = answering(201, CREATED)
    message = outgoing(
        callback_url=f"https://oncue.example.com/hooks/twilio/status/{MESSAGE}",
        messaging_service_sid=SERVICE, content_sid="HX" + "0" * 32, content_variables={"1": "Ann"}, smart_encoded=True,
        shorten_urls=True, validity_period=600,
    )  # fmt: skip
    assert isinstance(send(http, config, message), Submitted)
    (method, url, more), form = http.calls[0], dict(http.form())
    assert (len(http.calls), method) == (1, "POST")
    assert url == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert more["auth"] == (ACCOUNT, TOKEN)
    assert form == {
        "To": "+16175551212", "From": "+15005550006", "MessagingServiceSid": SERVICE, "Body": "hello", "ContentSid": "HX" + "0" * 32,
        "ContentVariables": '{"1":"Ann"}', "SmartEncoded": "true", "ShortenUrls": "true", "ValidityPeriod": "600",
        "StatusCallback": f"https://oncue.example.com/hooks/twilio/status/{MESSAGE}#rc=5&rp=all",
    }  # fmt: skip


def test_ten_pictures_are_ten_parameters_in_order(config):
    urls = [f"https://example.com/ten/{n}.png" for n in range(10)]
    http = Script(
        lambda method, url: (
            Response(201, {}, b'{"sid":"MM%s","status":"queued"}' % (b"1" * 32))
            if method == "POST"
            else NotSent("away")
        )
    )
    assert isinstance(send(http, config, outgoing(media_urls=urls)), Submitted)
    assert [value for name, value in http.form() if name == "MediaUrl"] == urls


def test_without_a_public_url_no_callback_is_asked_for(config):
    http = answering(201, CREATED)
    send(http, config)
    assert "StatusCallback" not in dict(http.form())


def test_an_api_key_sends_when_there_is_one(config):
    config.update(api_key_sid="SK" + "0" * 32, api_key_secret="secret")
    http = answering(201, CREATED)
    send(http, config)
    assert http.calls[0][2]["auth"] == ("SK" + "0" * 32, "secret")
    assert ACCOUNT in http.calls[0][1]


@pytest.mark.parametrize(
    ("place", "host"),
    [
        ({}, "https://api.twilio.com"),
        ({"region": "ie1", "edge": "dublin"}, "https://api.dublin.ie1.twilio.com"),
        ({"region": "au1"}, "https://api.au1.twilio.com"),
        ({"api_base_url": "http://127.0.0.1:4010"}, "http://127.0.0.1:4010"),
    ],
)
def test_the_address_follows_region_edge_and_base(config, place, host):
    config.update(place)
    http = answering(201, CREATED)
    send(http, config)
    assert http.calls[0][1].startswith(host + "/2010-04-01/")


def test_twilio_may_not_queue_it_past_its_send_by_time(config):
    http = answering(201, CREATED)
    send(http, config, outgoing(within=100))
    assert 98 <= int(dict(http.form())["ValidityPeriod"]) <= 100


def test_the_201_gives_the_first_status(config):
    assert send(answering(201, CREATED), config).status == "queued"
    assert send(answering(201, {**CREATED, "status": "accepted"}), config).status == "accepted"


ERROR = {"message": "said", "more_info": "", "status": 400}


@pytest.mark.parametrize(
    ("status", "code", "kind", "blame"),
    [
        *[(400, code, Rejected, Blame.RECIPIENT) for code in (21211, 21614, 21635, 21608)],
        *[(400, code, Rejected, Blame.MESSAGE) for code in (21617, 21620, 21212, 21606, 21654)],
        *[(400, code, Rejected, Blame.SENDER) for code in (21660, 21704)],
        (403, 21408, Rejected, Blame.COUNTRY),
        *[
            (401, 20003, Rejected, Blame.ACCOUNT),
            (403, 20005, Rejected, Blame.ACCOUNT),
            (403, 20008, Rejected, Blame.ACCOUNT),
        ],
        *[(400, code, Suppressed, None) for code in (21610, 30630)],
        (400, 21611, Retry, None),
        (429, 20429, Retry, None),
        *[(500, 20500, Unknown, None), (503, 20503, Unknown, None), (504, 20504, Unknown, None)],
        (400, 98765, Rejected, Blame.MESSAGE),
        (401, 98765, Rejected, Blame.ACCOUNT),
        (500, 98765, Unknown, None),
        *[
            (503, code, Unknown, None) for code in (21611, 21610, 21211)
        ],  # it may have been taken, whatever the code says
    ],
)
def test_a_refusal_comes_to_its_outcome(config, status, code, kind, blame):
    http = answering(status, {**ERROR, "code": code, "status": status})
    outcome = send(http, config)
    assert type(outcome) is kind, outcome
    assert getattr(outcome, "blame", None) == blame
    assert outcome.reason and len(http.calls) == 1


def test_429_is_tried_again_and_lowers_the_concurrency(config):
    assert send(answering(429, {"code": 20429}, retry_after="7"), config) == Retry(
        send(answering(429, {"code": 20429}), config).reason, 7.0, True
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html>Bad Gateway</html>"),
        (500, b""),
        (503, b"\xff\xfe"),
        (201, b"<html>"),
        (201, b"{}"),
        (201, b"[]"),
        (200, b"null"),
        (599, b"{"),
    ],
)
def test_an_answer_that_proves_nothing_is_unknown(config, status, body):
    http = answering(status, body)
    assert isinstance(send(http, config), Unknown) and len(http.calls) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(NotSent("refused"), Retry), (NotKnown("timeout"), Unknown), (NotSent("private", forbidden=True), Rejected)],
)
def test_only_what_was_never_written_is_tried_again(config, answer, kind):
    http = failing(answer)
    assert isinstance(send(http, config), kind) and len(http.calls) == 1


def pictures(headers, status=200):
    return Script(
        lambda method, url: (
            Response(201, {}, b'{"sid":"MM%s","status":"queued"}' % (b"1" * 32))
            if method == "POST"
            else Response(status, headers, b"")
        )
    )


@pytest.mark.parametrize(
    ("name", "headers", "kind", "warns"),
    [
        ("png", {"content-type": "image/png", "content-length": "1000"}, Submitted, False),
        ("big", {"content-type": "image/png", "content-length": "6000000"}, Rejected, False),
        ("pdf", {"content-type": "application/pdf; x=y", "content-length": "1000"}, Submitted, True),
        ("big-pdf", {"content-type": "application/pdf", "content-length": "600000"}, Rejected, False),
        ("sizeless", {"content-type": "image/jpeg"}, Submitted, False),
    ],
)
def test_a_picture_is_looked_at_before_it_is_sent(config, name, headers, kind, warns):
    http = pictures(headers)
    outcome = send(http, config, outgoing(media_urls=[f"https://example.com/look/{name}"]))
    assert type(outcome) is kind and bool(getattr(outcome, "warnings", ())) == warns
    assert http.calls[0][0] == "HEAD" and not http.calls[0][2].get("trusted")
    assert [method for method, *_ in http.calls].count("POST") == (1 if kind is Submitted else 0)


def test_what_was_seen_of_a_picture_is_remembered(config):
    http = pictures({"content-type": "image/png"})
    for _ in range(3):
        send(http, config, outgoing(media_urls=["https://example.com/remembered.png"]))
    assert [method for method, *_ in http.calls].count("HEAD") == 1


def test_pictures_too_large_together_are_refused(config):
    http = pictures({"content-type": "image/png", "content-length": "3000000"})
    assert isinstance(
        send(http, config, outgoing(media_urls=["https://example.com/t/1", "https://example.com/t/2"])), Rejected
    )


def test_a_picture_at_a_private_address_is_refused(config):
    http = Script(
        lambda method, url: NotSent("private", forbidden=True) if method == "HEAD" else Response(201, {}, b"{}")
    )
    assert isinstance(send(http, config, outgoing(media_urls=["http://10.0.0.1/private.png"])), Rejected)
