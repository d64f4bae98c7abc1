"""The callback check: where a provider's call stops on its way to us, and what to do about it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from certificates import self_made
from oncue.adaptors.twilio import adaptor
from oncue.core.http import Response
from oncue.core.probe import Step
from oncue.workers import probing
from oncue.workers.probing import judge, probe
from wire import Call, Play, Wire, serving

CONFIG = {"account_sid": "AC" + "0" * 32, "auth_token": "12345"}


def probed(public_url: str) -> tuple[Step, ...]:
    return asyncio.run(probe(adaptor, CONFIG, public_url))


def against(play: Play, tls=None, scheme: str = "http") -> tuple[tuple[Step, ...], Wire]:
    async def both() -> tuple[tuple[Step, ...], Wire]:
        async with serving(play, tls) as wire:
            return await probe(adaptor, CONFIG, f"{scheme}://127.0.0.1:{wire.port}/below"), wire

    return asyncio.run(both())


async def heard(call: Call) -> None:
    call.answer(200)


def test_all_is_well_when_the_answer_is_an_empty_200():
    steps, wire = against(heard)
    assert [(step.label, step.tone) for step in steps] == [
        ("Name", "warn"), ("Connection", "good"), ("Encryption", "warn"), ("Answer", "good"),
    ]  # fmt: skip
    (call,) = wire.calls
    assert call.head.startswith(b"POST /below/hooks/twilio/status/probe HTTP/1.1\r\n")
    assert "x-twilio-signature" in call.headers


ANSWERS = [
    (301, {"location": "https://www.example.com/"}, b"", "a redirect to https://www.example.com/"),
    (307, {}, b"", "a redirect to another address"),
    (401, {}, b"", "something in front of it asks who is calling"),
    (403, {}, b"<html>", "something in front of it asks who is calling"),
    (403, {}, b'{"error": "The signature does not match."}', "oncue got the call, but: The signature does not match."),
    (404, {}, b"<html>", "the proxy does not pass /hooks on"),
    (404, {}, b'{"error": "Nothing is called here."}', "oncue got the call, but: Nothing is called here."),
    (502, {}, b"", "the proxy is there, but does not reach oncue"),
    (503, {}, b'{"error": "Come back later."}', "Come back later."),
    (504, {}, b"", "the proxy is there, but does not reach oncue"),
    (200, {}, b"<html>Welcome", "it is not oncue's"),
    (418, {}, b"\xff", "where 200 was expected."),
    (500, {}, b'{"error": 1}', "where 200 was expected."),
    (500, {}, b"[1]", "where 200 was expected."),
]


@pytest.mark.parametrize(("status", "headers", "body", "sentence"), ANSWERS)
def test_every_other_answer_is_where_it_stops(status, headers, body, sentence):
    with pytest.raises(probing.Stopped, match=str(status)) as stopped:
        judge(Response(status, headers, body), "Twilio", "/hooks/twilio/status/probe")
    assert sentence in str(stopped.value)


def test_a_redirect_is_not_followed():
    async def away(call: Call) -> None:
        call.answer(302, b"", "Location: /elsewhere")

    steps, wire = against(away)
    assert (steps[-1].label, steps[-1].tone) == ("Answer", "bad")
    assert len(wire.calls) == 1


def test_a_closed_port_stops_at_the_connection():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        steps = probed(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (steps[-1].label, steps[-1].tone) == ("Connection", "bad")
    assert "Nothing listens on port" in steps[-1].sentence


def test_a_name_that_leads_nowhere_stops_at_the_name():
    steps = probed("https://no-such-host.invalid")
    assert [(step.label, step.tone) for step in steps] == [("Name", "bad")]
    assert "leads nowhere" in steps[0].sentence


def test_a_bad_certificate_stops_at_the_encryption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    context, trusted = self_made(tmp_path)
    steps, wire = against(heard, context, "https")
    assert (steps[-1].label, steps[-1].tone) == ("Encryption", "bad")
    assert "The certificate of 127.0.0.1 is not good" in steps[-1].sentence
    assert wire.calls == []
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))  # read when the call's own connection is made
    steps, _ = against(heard, context, "https")
    assert [(step.label, step.tone) for step in steps[1:3]] == [("Connection", "good"), ("Encryption", "good")]


def test_a_port_without_tls_stops_at_the_encryption():
    async def plain(call: Call) -> None:
        raise AssertionError("no call can be read")

    steps, _ = against(plain, None, "https")
    assert (steps[-1].label, steps[-1].tone) == ("Encryption", "bad")


def test_a_connection_that_is_cut_is_told():
    async def cut(call: Call) -> None:
        call.reset()

    steps, _ = against(cut)
    assert (steps[-1].label, steps[-1].tone) == ("Answer", "bad")
    assert "No answer came." in steps[-1].sentence
