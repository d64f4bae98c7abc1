"""One request to a real server, signed so that the receiver can trust it and tell a repeat."""

import asyncio
import base64
from urllib.parse import parse_qsl

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from oncue.adaptors.webhook import adaptor
from oncue.core import clock
from oncue.core.adaptor import Outgoing
from oncue.core.outcome import Blame, Outcome, Rejected, Retry, Submitted
from oncue.workers.http import Client, Exchange
from oncue.workers.sender import redactor
from wire import Call, Play, Wire, ok, serving

MESSAGE = "0190a0b0c0d0e0f0a0b0c0d0e0f0a0b0"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONFIG = {"signing_secret": SECRET, "allow_private_addresses": True, "messages_per_second": 0}
ACTION = adaptor.actions[0]


def outgoing(attempt: int = 1, **fields) -> Outgoing:
    return Outgoing(id=MESSAGE, attempt=attempt, fields=fields, recipient="", send_by=clock.now() + clock.HOUR)


def request(play: Play = ok, given=CONFIG, times: int = 1, **fields) -> tuple[Outcome, Wire, Exchange]:
    """(the last outcome, what reached the server, what was kept)."""

    async def act() -> tuple[Outcome, Wire, Exchange]:
        client = Client()
        http = client.recording(redactor(adaptor, given))
        async with serving(play) as wire:
            try:
                for attempt in range(times):
                    message = outgoing(attempt + 1, **{"method": "POST", "url": wire.url, **fields})
                    outcome = await ACTION.send(http, given, message)
                return outcome, wire, http
            finally:
                await client.close()

    return asyncio.run(act())


def answering(status: int, *headers: str, body: bytes = b"said") -> Play:
    async def play(call: Call) -> None:
        call.answer(status, body, *headers)

    return play


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "GET", "DELETE"])
def test_the_method_the_address_and_the_headers_are_the_rule_s(method):
    headers = {"Authorization": "Bearer abc", "X-Shop": "42"}
    outcome, wire, _ = request(method=method, headers=headers)
    (call,) = wire.calls
    assert isinstance(outcome, Submitted) and outcome.status == "succeeded" and outcome.provider_id == MESSAGE
    assert call.head.startswith(f"{method} /place HTTP/1.1\r\n".encode())
    assert (call.headers["authorization"], call.headers["x-shop"]) == ("Bearer abc", "42")


@pytest.mark.parametrize(
    "json",
    [{"user": "ann", "tags": [1, 2.5, None, True], "name": "Zoë 😀", "deep": {"a": {}}}, [1, "two"], {}, 0, "text"],
    ids=repr,
)
def test_a_json_body_arrives_as_it_was(json):
    _, wire, _ = request(json=json)
    assert msgspec.json.decode(wire.calls[0].body) == json
    assert wire.calls[0].headers["content-type"] == "application/json"


def test_a_form_body_arrives_as_it_was():
    form = {"name": "Zoë & Co", "a=b": "c+d", "empty": ""}
    _, wire, _ = request(form=form)
    assert dict(parse_qsl(wire.calls[0].body.decode(), keep_blank_values=True)) == form
    assert wire.calls[0].headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_request_needs_no_body():
    _, wire, _ = request(method="GET")
    assert wire.calls[0].body == b"" and "content-type" not in wire.calls[0].headers


def test_a_rule_s_own_headers_replace_ours_and_do_not_stand_beside_them():
    _, wire, _ = request(json={}, headers={"content-TYPE": "application/vnd.shop+json", "user-agent": "shop"})
    head = wire.calls[0].head.decode().lower()
    assert head.count("content-type:") == head.count("user-agent:") == 1
    assert "application/vnd.shop+json" in head and "user-agent: shop" in head
    assert request()[1].calls[0].headers["user-agent"].startswith("oncue/")


# Signed by the Standard Webhooks scheme; their own library is the judge


@pytest.mark.parametrize(
    "body", [{"json": {"name": "Zoë 😀"}}, {"form": {"name": "Zoë 😀"}}, {}], ids=["json", "form", "none"]
)
def test_the_receiver_s_library_accepts_the_signature(body):
    (call,) = request(**body)[1].calls
    Webhook(SECRET).verify(call.body, call.headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(call.body + b" ", call.headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(base64.b64encode(b"another").decode()).verify(call.body, call.headers, json_parse=False)


def test_the_id_is_the_message_s_on_every_attempt_and_the_time_is_the_attempt_s():
    first, second = request(answering(503), times=2)[1].calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == MESSAGE
    try:
        clock.turn(60_000)
        (later,) = request()[1].calls
    finally:
        clock.turn(-60_000)
    assert 59 <= int(later.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) <= 70
    Webhook(SECRET).verify(later.body, later.headers, json_parse=False)


def test_without_a_secret_nothing_is_signed_but_a_repeat_can_still_be_told():
    (call,) = request(given={**CONFIG, "signing_secret": ""})[1].calls
    assert "webhook-signature" not in call.headers and call.headers["webhook-id"] == MESSAGE


# What an answer comes to


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status):
    outcome, *_ = request(answering(status, body=b"" if status == 204 else b"x"))
    assert isinstance(outcome, Submitted) and outcome.properties == {"status_code": status}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 451])
def test_4xx_is_a_refusal_with_the_answer_in_it(status):
    outcome, wire, _ = request(answering(status))
    assert outcome == Rejected(f"The other system answered {status} said", Blame.MESSAGE, str(status))
    assert len(wire.calls) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again_since_the_receiver_can_tell_a_repeat(status):
    outcome, wire, _ = request(answering(status))
    assert outcome == Retry(f"The other system answered {status} said", None, throttled=status == 429)
    assert len(wire.calls) == 1, "by the sender, later, and not at once"


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("99999", 3_600.0),
        ("9" * 400, 3_600.0),
        ("soon", None),
        ("-1", None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_is_heeded_up_to_an_hour(after, seconds):
    for status in (429, 503):
        outcome, *_ = request(answering(status, f"Retry-After: {after}"))
        assert isinstance(outcome, Retry) and outcome.after == seconds


async def drop(call: Call) -> None:
    call.close()


async def half(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    call.close()


@pytest.mark.parametrize("play", [drop, half])
def test_a_lost_answer_is_tried_again_since_the_receiver_can_tell_a_repeat(play):
    outcome, wire, _ = request(play)
    assert isinstance(outcome, Retry) and len(wire.calls) == 1


def test_no_answer_in_time_is_tried_again(monkeypatch):
    async def hang(call: Call) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("oncue.adaptors.webhook.send.DEADLINE", 1.0)
    outcome, wire, _ = request(hang)
    assert isinstance(outcome, Retry) and len(wire.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_refusal_names_its_aim(status):
    outcome, wire, _ = request(answering(status, "Location: http://169.254.169.254/"))
    assert isinstance(outcome, Rejected) and "'http://169.254.169.254/'" in outcome.reason
    assert len(wire.calls) == 1


def test_an_endless_answer_is_not_read_to_its_end():
    outcome, *_ = request(answering(400, body=b"x" * 3_000_000))
    assert isinstance(outcome, Rejected) and len(outcome.reason) < 600


def test_the_exchange_keeps_no_signature_and_no_secret():
    headers = {"Authorization": "Bearer a-bearer-token", "X-Api-Token": "an-api-token"}
    _, _, http = request(answering(200, body=SECRET.encode()), headers=headers, json={"secret": SECRET})
    kept = msgspec.json.encode(http.records).decode()
    assert not [one for one in (SECRET, "a-bearer-token", "an-api-token", "v1,") if one in kept]
