"""The one way out: what was sent, what was not, and what nobody knows."""

import asyncio
import base64
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import TCPConnector
from aiohttp.resolver import ThreadedResolver

from certificates import self_made
from oncue.core import clock
from oncue.core.http import Answer, NotKnown, NotSent, Response
from oncue.workers.http import Client
from wire import Call, Play, Wire, ok, run, serving

REDIRECTS = [301, 302, 303, 307, 308]


def post(play: Play, **options: Any) -> tuple[Answer, Wire]:
    """One trusted POST of `x=1`."""

    async def act(client: Client, wire: Wire) -> Answer:
        return await client.request("POST", wire.url, **{"body": b"x=1", "trusted": True, **options})

    return run(play, act)


# What is sent and what comes back


def test_an_answer_is_returned_with_header_names_in_lower_case():
    async def play(call: Call) -> None:
        call.answer(201, b'{"sid": "SM1"}', "Twilio-Request-Id: RQ1", "Content-Type: application/json")

    answer, _ = post(play)
    assert isinstance(answer, Response)
    assert (answer.status, answer.text()) == (201, '{"sid": "SM1"}')
    assert answer.headers["twilio-request-id"] == "RQ1"


def test_the_request_arrives_as_it_was_given():
    _, wire = post(ok, headers={"X-Shop": "42", "Content-Type": "text/plain"}, auth=("AC1", "tökén"))
    (call,) = wire.calls
    assert call.head.startswith(b"POST /place HTTP/1.1\r\n")
    assert (call.body, call.headers["x-shop"], call.headers["content-type"]) == (b"x=1", "42", "text/plain")
    assert base64.b64decode(call.headers["authorization"].removeprefix("Basic ")).decode() == "AC1:tökén"
    assert call.headers["user-agent"].startswith("oncue/")
    assert call.headers["accept-encoding"] == "identity"


def test_connections_are_kept_and_used_again():
    async def act(client: Client, wire: Wire) -> None:
        for _ in range(5):
            await client.request("POST", wire.url, body=b"x", trusted=True)

    _, wire = run(ok, act)
    assert (len(wire.calls), wire.connections) == (5, 1)


def test_a_closed_client_opens_anew():
    async def act(client: Client, wire: Wire) -> Answer:
        await client.request("GET", wire.url, trusted=True)
        await client.close()
        return await client.request("GET", wire.url, trusted=True)

    answer, wire = run(ok, act)
    assert isinstance(answer, Response)
    assert wire.connections == 2


@pytest.mark.parametrize("status", REDIRECTS)
def test_no_redirect_is_followed(status: int):
    async def play(call: Call) -> None:
        call.answer(status, b"", "Location: /elsewhere")

    answer, wire = post(play)
    assert isinstance(answer, Response)
    assert (answer.status, answer.headers["location"], len(wire.calls)) == (status, "/elsewhere", 1)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 502, 503])
def test_an_error_status_is_an_answer_like_any_other(status: int):
    async def play(call: Call) -> None:
        call.answer(status, b"<html>Bad Gateway</html>", "Content-Type: text/html")

    answer, wire = post(play)
    assert isinstance(answer, Response)
    assert (answer.status, answer.text(), len(wire.calls)) == (status, "<html>Bad Gateway</html>", 1)


# What may have been processed


async def close(call: Call) -> None:
    call.close()


async def reset(call: Call) -> None:
    call.reset()


async def close_within_the_head(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 200 O")
    call.close()


async def break_off_the_body(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
    call.close()


async def break_off_the_chunks(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    call.close()


async def answer_nonsense(call: Call) -> None:
    call.writer.write(b"220 mail.example ESMTP\r\n\r\n")
    call.close()


async def hang(call: Call) -> None:
    await asyncio.Event().wait()


async def hang_within_the_body(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
    await asyncio.Event().wait()


async def drip(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        call.writer.write(b"x")
        await call.writer.drain()
        await asyncio.sleep(0)


LOST = [
    close, reset, close_within_the_head, break_off_the_body, break_off_the_chunks, answer_nonsense, hang,
    hang_within_the_body, drip,
]  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("play", LOST)
def test_a_post_whose_answer_is_lost_is_not_known_and_is_made_once(play: Play, method: str):
    async def act(client: Client, wire: Wire) -> Answer:
        return await client.request(method, wire.url, body=b"x=1", trusted=True, deadline=1.0)

    answer, wire = run(play, act)
    assert isinstance(answer, NotKnown), answer
    assert len(wire.calls) == 1


async def answer_once(call: Call) -> None:
    """The stale keep-alive: the first request is answered, the second meets a connection that goes away."""
    if call.number == 1:
        call.answer(200, b"fine")
    else:
        call.close()


def test_a_post_on_a_connection_that_the_server_is_just_closing_is_not_known_and_is_made_once():
    async def act(client: Client, wire: Wire) -> list[Answer]:
        return [await client.request("POST", wire.url, body=b"x=1", trusted=True) for _ in range(2)]

    (first, second), wire = run(answer_once, act)
    assert isinstance(first, Response)
    assert isinstance(second, NotKnown)
    assert (len(wire.calls), wire.connections) == (2, 1), "the second went out on the first connection, and only once"


def test_a_connection_that_the_server_closed_while_idle_is_not_used_again():
    closed = asyncio.Event()

    async def play(call: Call) -> None:
        call.answer(200, b"fine")
        if call.number == 1:
            call.writer.write_eof()
            assert await call.reader.read() == b"", "the client closes its side too, and sends nothing more"
            closed.set()

    async def act(client: Client, wire: Wire) -> Answer:
        await client.request("POST", wire.url, body=b"x=1", trusted=True)
        await closed.wait()
        return await client.request("POST", wire.url, body=b"x=1", trusted=True)

    answer, wire = run(play, act)
    assert isinstance(answer, Response)
    assert (len(wire.calls), wire.connections) == (2, 2)


def test_a_get_is_repeated_once_at_most():
    async def act(client: Client, wire: Wire) -> Answer:
        return await client.request("GET", wire.url, trusted=True)

    answer, wire = run(close, act)
    assert isinstance(answer, NotKnown)
    assert len(wire.calls) <= 2


def test_a_put_that_was_sent_is_not_known_though_repeating_it_could_not_connect(monkeypatch: pytest.MonkeyPatch):
    connect, asked = TCPConnector.connect, 0

    async def once_more(*given: Any, **named: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise ConnectionRefusedError("the server has gone")
        return await connect(*given, **named)

    monkeypatch.setattr(TCPConnector, "connect", once_more)

    async def act(client: Client, wire: Wire) -> list[Answer]:
        return [await client.request("PUT", wire.url, body=b"x=1", trusted=True) for _ in range(2)]

    (_, second), wire = run(answer_once, act)
    assert isinstance(second, NotKnown) and (len(wire.calls), asked) == (2, 3)


def test_an_answer_that_cannot_be_read_is_not_known(monkeypatch: pytest.MonkeyPatch):
    async def fail(*_: Any) -> bytes:
        raise ValueError("no such length")

    monkeypatch.setattr("oncue.workers.http._read", fail)
    answer, _ = post(ok)
    assert isinstance(answer, NotKnown)


@pytest.mark.parametrize("play", [hang, hang_within_the_body, drip])
def test_the_deadline_holds_for_the_whole_of_it(play: Play):
    began = time.monotonic()
    answer, _ = post(play, deadline=0.5)
    assert isinstance(answer, NotKnown)
    assert 0.45 < time.monotonic() - began < 5


# What was certainly not sent


def test_a_refused_connection_is_not_sent():
    async def act(client: Client, wire: Wire) -> Answer:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            return await client.request("POST", f"http://127.0.0.1:{port}/?token=s3cret", body=b"x", trusted=True)

    answer, _ = run(ok, act)
    assert isinstance(answer, NotSent)
    assert not answer.forbidden
    assert "s3cret" not in answer.reason


def test_a_name_that_is_not_found_is_not_sent(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    async def act(client: Client, wire: Wire) -> list[Answer]:
        url = "http://nowhere.example/?token=s3cret"
        return [await client.request("POST", url, body=b"x", trusted=trusted) for trusted in (True, False)]

    answers, _ = run(ok, act)
    for answer in answers:
        assert isinstance(answer, NotSent)
        assert not answer.forbidden, "the name server may be back in a minute"
        assert "nowhere.example" in answer.reason
        assert "s3cret" not in answer.reason


def test_a_deadline_that_passes_before_the_connection_stands_is_not_sent(monkeypatch: pytest.MonkeyPatch):
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(ThreadedResolver, "resolve", never)

    async def act(client: Client, wire: Wire) -> Answer:
        return await client.request("POST", "http://slow.example/", body=b"x", trusted=True, deadline=0.1)

    answer, _ = run(ok, act)
    assert isinstance(answer, NotSent)
    assert not answer.forbidden


def test_a_server_that_takes_no_connection_is_not_waited_for_until_the_deadline(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("oncue.workers.http.CONNECT_WITHIN", 0.2)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in (first, second):  # the kernel holds one more than it was asked to
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"

        async def act(client: Client, wire: Wire) -> Answer:
            return await client.request("POST", url, body=b"x", trusted=True, deadline=30)

        began = time.monotonic()
        answer, _ = run(ok, act)
    assert isinstance(answer, NotSent) and not answer.forbidden
    assert time.monotonic() - began < 10


def test_where_nobody_can_tell_whether_it_was_written_it_is_not_known(monkeypatch: pytest.MonkeyPatch):
    """As with an aiohttp that would get its connections in another way: nothing is sent twice because of that."""
    monkeypatch.setattr("oncue.workers.http._Connector.connect", TCPConnector.connect)

    async def drop(call: Call) -> None:
        call.reset()

    answer, wire = post(drop)
    assert isinstance(answer, NotKnown) and len(wire.calls) == 1


def test_a_process_that_was_stopped_before_it_wrote_writes_nothing_afterwards(monkeypatch: pytest.MonkeyPatch):
    """SIGSTOP while the connection is made, and SIGCONT a minute later: the timers of the loop have had no time to say that it is too late."""
    times = iter([0.0])
    monkeypatch.setattr(clock, "elapsed", lambda: next(times, 60.0))
    answer, wire = post(ok)
    assert isinstance(answer, NotSent) and "deadline had passed" in answer.reason and not wire.calls


def test_a_server_that_speaks_no_tls_is_not_sent():
    async def act(client: Client, wire: Wire) -> Answer:
        return await client.request("POST", wire.url.replace("http", "https"), body=b"x", trusted=True, deadline=0.5)

    answer, wire = run(ok, act)
    assert isinstance(answer, NotSent)
    assert not wire.calls


def test_a_server_whose_certificate_nobody_vouches_for_is_not_sent(tmp_path: Path):
    tls, _ = self_made(tmp_path)

    async def both() -> tuple[Answer, Wire]:
        client = Client()
        async with serving(ok, tls) as wire:
            try:
                url = f"https://localhost:{wire.port}/?token=s3cret"
                return await client.request("POST", url, body=b"x", trusted=True), wire
            finally:
                await client.close()

    answer, wire = asyncio.run(both())
    assert isinstance(answer, NotSent)
    assert not answer.forbidden and "certificate" in answer.reason and "s3cret" not in answer.reason
    assert not wire.calls


@pytest.mark.parametrize(
    "headers", [{"X-A": "1\r\nX-B: 2"}, {"X-A": "1\n"}, {"X-A\r\nX-B": "2"}, {"X-A": "nul\0"}], ids=repr
)
def test_a_header_that_would_smuggle_in_another_is_not_sent(headers: dict[str, str]):
    answer, wire = post(ok, headers=headers)
    assert answer == NotSent("A header's name and value must each be one line.", forbidden=True)
    assert wire.connections == 0


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "example.com", "http://", "http://[::1", "//x/", ""]
)
@pytest.mark.parametrize("trusted", [True, False])
def test_what_is_no_web_address_is_refused_for_good(url: str, trusted: bool):
    async def act(client: Client, wire: Wire) -> Answer:
        return await client.request("GET", url, trusted=trusted)

    answer, _ = run(ok, act)
    assert isinstance(answer, NotSent)
    assert answer.forbidden
    assert "not a web address" in answer.reason


# Answers that are too large


def test_no_more_of_an_answer_is_read_than_was_asked_for():
    async def play(call: Call) -> None:
        call.answer(200, b"x" * 3_000_000)

    answer, _ = post(play, limit=1_000)
    assert isinstance(answer, Response)
    assert answer.body == b"x" * 1_000
