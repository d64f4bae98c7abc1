"""What is kept of a call: everything a person needs to understand it, and no secret."""

import asyncio
import base64
from typing import Any

import msgspec
import pytest

from oncue.core.http import Answer, NotKnown, Response
from oncue.core.redact import HIDDEN, Redactor
from oncue.workers.http import Client, Exchange

TOKEN = "f1e2d3c4b5a697887766554433221100"


class Echo:
    """Answers what it is told to."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def request(self, method: str, url: str, **_: Any) -> Answer:
        return self.answer


def record(answer: Answer, url: str = "https://api.example/send", **options: Any) -> dict[str, Any]:
    exchange = Exchange(Echo(answer), Redactor([TOKEN]))
    assert asyncio.run(exchange.request("POST", url, **options)) is answer
    (kept,) = exchange.records
    assert msgspec.json.decode(msgspec.json.encode(kept)) == kept, "it is ready for JSON"
    return kept


def test_a_call_is_kept_as_it_was():
    answer = Response(201, {"twilio-request-id": "RQ1"}, b'{"sid": "SM1"}')
    kept = record(answer, headers={"X-Shop": "42"}, body=b"To=1")
    assert kept.pop("took_ms") >= 0
    assert kept == {
        "method": "POST",
        "url": "https://api.example/send",
        "request_headers": {"X-Shop": "42"},
        "request_body": "To=1",
        "status": 201,
        "response_headers": {"twilio-request-id": "RQ1"},
        "response_body": '{"sid": "SM1"}',
    }


def test_what_the_other_side_repeats_of_a_rule_s_credentials_is_hidden():
    headers = {"X-Partner-Token": "canary-partner", "Authorization": "Bearer canary-bearer", "X-Shop": "shop-seventeen"}
    kept = record(Response(400, {"x-seen": "canary-partner"}, b"bad canary-bearer of shop-seventeen"), headers=headers)
    assert "canary" not in str(kept) and kept["response_body"] == f"bad {HIDDEN} of shop-seventeen"
    cut = record(Response(400, {}, b"x" * 3_990 + b"canary-bearer"), headers=headers)
    assert "canary" not in str(cut), "cut in two it would not be known"


def test_a_call_without_an_answer_keeps_the_reason():
    kept = record(NotKnown(f"lost, and {TOKEN} with it"))
    assert kept["error"] == f"lost, and {HIDDEN} with it"
    assert "status" not in kept


@pytest.mark.parametrize(
    "options",
    [
        {"auth": ("AC1", TOKEN)},
        {"headers": {"Authorization": "Bearer not-a-known-secret-0001"}},
        {"headers": {"X-Auth-Token": "not-a-known-secret-0001"}},
        {"headers": {"x-api-key": "not-a-known-secret-0001"}},
        {"headers": {"webhook-signature": "v1,not-a-known-secret-0001"}},
        {"headers": {"X-Shop": f"a{TOKEN}b"}},
        {"headers": {"X-Shop": "Basic " + base64.b64encode(f"AC1:{TOKEN}".encode()).decode()}},
        {"body": f"token={TOKEN}&x=1".encode()},
        {"body": base64.b64encode(b"\0user\0" + TOKEN.encode())},
        {"url": f"https://api.example/{TOKEN}/send"},
        {"url": "https://user:not-a-known-secret-0001@api.example/send"},
    ],
    ids=repr,
)
def test_no_secret_of_the_request_is_kept(options: dict[str, Any]):
    kept = msgspec.json.encode(record(Response(200, {}, b""), **options)).decode()
    assert TOKEN not in kept
    assert "not-a-known-secret-0001" not in kept
    assert HIDDEN in kept


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, {"set-cookie": "session=not-a-known-secret-0001"}, b""),
        Response(302, {"location": f"https://api.example/?t={TOKEN}"}, b""),
        Response(200, {}, f'{{"auth_token": "{TOKEN}"}}'.encode()),
    ],
    ids=repr,
)
def test_no_secret_of_the_answer_is_kept(answer: Response):
    kept = msgspec.json.encode(record(answer)).decode()
    assert TOKEN not in kept
    assert "not-a-known-secret-0001" not in kept


@pytest.mark.parametrize("before", range(3_960, 4_010, 7))
def test_a_secret_across_the_place_where_a_body_is_cut_does_not_leave_its_beginning(before: int):
    kept = record(Response(200, {}, b"x" * before + TOKEN.encode() + b"y" * 100))
    assert TOKEN[:4] not in kept["response_body"]


def test_a_long_body_is_cut_and_says_so():
    kept = record(Response(200, {}, b"x" * 1_000_000))
    assert kept["response_body"] == "x" * 4_000 + "…"


def test_bytes_that_are_no_text_are_kept_as_well_as_they_can_be():
    assert record(Response(200, {}, b"\xff\xfe ok"))["response_body"] == "\ufffd\ufffd ok"


def test_calls_are_kept_in_order_and_a_client_makes_exchanges():
    exchange = Client().recording(Redactor([]))
    exchange._client = Echo(Response(200, {}, b""))

    async def three() -> None:
        for number in range(3):
            await exchange.request("GET", f"https://api.example/{number}")

    asyncio.run(three())
    assert [one["url"][-1] for one in exchange.records] == ["0", "1", "2"]
