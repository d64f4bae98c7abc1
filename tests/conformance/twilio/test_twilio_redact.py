"""Having Twilio forget what a message says: every answer comes to done, not there, not now, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from twilio_cases import Script, answering

from oncue.adaptors.twilio import adaptor
from oncue.core.adaptor import Redacted
from oncue.core.http import NotKnown, NotSent, Response

SID, PICTURED = "SM" + "1" * 32, "MM" + "2" * 32


def redact(http: Script, config: dict[str, Any], sid: str = SID) -> Redacted:
    assert adaptor.redact
    return asyncio.run(adaptor.redact(http, config, sid))  # type: ignore[arg-type]


def test_it_is_one_post_of_an_empty_body(config):
    http = answering(200, {"sid": SID, "body": ""})
    assert redact(http, config) == Redacted()
    ((method, url, more),) = http.calls
    assert (method, url.rpartition("/Messages/")[2], http.form()) == ("POST", f"{SID}.json", [("Body", "")])
    assert more["auth"] == (config["account_sid"], config["auth_token"])


@pytest.mark.parametrize(
    ("answer", "unknown", "ours", "after"),
    [
        (Response(404, {}, b'{"code": 20404}'), True, False, None),
        (Response(409, {}, b'{"code": 20009}'), False, False, None),
        (Response(400, {}, b'{"code": 30400}'), False, False, None),
        (Response(500, {}, b"<html>"), False, False, None),
        (Response(200, {}, b'{"body": "still here"}'), False, False, None),
        (Response(401, {}, b'{"code": 20003}'), False, True, None),
        (Response(429, {}, b'{"code": 20429}'), False, True, 30.0),
        (Response(429, {"retry-after": "7"}, b""), False, True, 7.0),
        (NotSent("refused"), False, True, None),
        (NotKnown("lost"), False, False, None),
    ],
    ids=str,
)
def test_every_other_answer_says_whose_problem_it_is(config, answer, unknown, ours, after):
    found = redact(Script(lambda method, url: answer), config)
    assert found.problem and (found.is_unknown, found.is_ours, found.after) == (unknown, ours, after)


def test_pictures_go_first_and_what_is_gone_already_does_not_matter(config):
    media = {"media_list": [{"sid": "ME1"}, {"sid": "ME2"}]}

    def answer(method: str, url: str) -> Response:
        if method == "GET":
            return Response(200, {}, msgspec.json.encode(media))
        return (
            Response(404 if "ME1" in url else 204, {}, b"")
            if method == "DELETE"
            else Response(200, {}, b'{"body": ""}')
        )

    http = Script(answer)
    assert redact(http, config, PICTURED) == Redacted()
    assert [(method, url.rpartition("/")[2]) for method, url, _ in http.calls] == [
        ("GET", "Media.json"), ("DELETE", "ME1.json"), ("DELETE", "ME2.json"), ("POST", f"{PICTURED}.json")
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_while_a_picture_is_left_the_text_is_not_emptied(config, method):
    http = Script(
        lambda asked, url: (
            Response(503, {}, b"") if asked == method else Response(200, {}, b'{"media_list": [{"sid": "ME1"}]}')
        )
    )
    assert redact(http, config, PICTURED).problem
    assert "POST" not in [asked for asked, _, _ in http.calls]


def test_an_id_leads_nowhere_else(config):
    http = answering(200, {"body": ""})
    redact(http, config, "../../../Accounts/AC1")
    assert http.calls[0][1].endswith("/Messages/..%2F..%2F..%2FAccounts%2FAC1.json")
