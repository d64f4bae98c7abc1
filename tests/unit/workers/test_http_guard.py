"""Addresses that a template may not make us call, however they are written."""

import socket
from typing import Any

import pytest

from oncue.core.http import Answer, NotSent, Response
from oncue.workers import addresses
from oncue.workers.http import Client
from wire import Wire, ok, run

HERE = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LocalHost:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://127.1:{port}/",
    "http://0:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://user:password@127.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://10.0.0.1/",
]


@pytest.mark.parametrize("url", HERE)
def test_an_untrusted_address_that_is_not_public_is_refused_for_good_and_not_connected_to(url: str):
    async def act(client: Client, wire: Wire) -> Answer:
        return await client.request("POST", url.format(port=wire.port), body=b"x")

    answer, wire = run(ok, act)
    assert isinstance(answer, NotSent), answer
    assert answer.forbidden, answer
    assert wire.connections == 0


def test_a_name_that_leads_inside_is_refused_for_good(monkeypatch: pytest.MonkeyPatch):
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)

    async def act(client: Client, wire: Wire) -> Answer:
        return await client.request("POST", "http://innocent.example/", body=b"x")

    answer, _ = run(ok, act)
    assert isinstance(answer, NotSent)
    assert answer.forbidden
    assert "innocent.example leads to 10.0.0.1" in answer.reason


def test_the_address_checked_is_the_address_called(monkeypatch: pytest.MonkeyPatch):
    """A name server that answers differently the second time is never asked a second time."""
    asked = 0

    def look_up(*_: Any, **__: Any) -> list[Any]:
        nonlocal asked
        asked += 1
        address = "127.0.0.1" if asked == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, wire_port))]

    wire_port = 0
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")

    async def act(client: Client, wire: Wire) -> Answer:
        nonlocal wire_port
        wire_port = wire.port
        return await client.request("POST", f"http://rebinding.example:{wire.port}/", body=b"x")

    answer, wire = run(ok, act)
    assert isinstance(answer, Response), answer
    assert (asked, wire.connections) == (1, 1)


def test_a_connection_made_for_a_trusted_request_is_not_lent_to_an_untrusted_one():
    async def act(client: Client, wire: Wire) -> tuple[Answer, Answer]:
        trusted = await client.request("POST", wire.url, body=b"x", trusted=True)
        return trusted, await client.request("POST", wire.url, body=b"x")

    (trusted, untrusted), wire = run(ok, act)
    assert isinstance(trusted, Response)
    assert isinstance(untrusted, NotSent)
    assert untrusted.forbidden
    assert len(wire.calls) == 1
