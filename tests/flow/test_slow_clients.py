"""Clients that dawdle, say nothing, come in crowds or do not read, against a real `oncue serve`: they are let go, and meanwhile everybody
else is answered. oncue waits for two seconds at most, where it has a minute in earnest, and takes thirty connections.
"""

from __future__ import annotations

import contextlib
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from forked import HASTE
from managing import Managed, signed_in
from oncue.cli import connection
from oncue.core import clock
from oncue.testing import wait_for
from speaking import Speaker

HEAD = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test-key-0123456789abcdef\r\n"
RULES = 'api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]\n'
MOST = 30


@pytest.fixture(scope="module")
def oncue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    with Managed(tmp_path_factory.mktemp("slow"), rules=RULES, environ={HASTE: "1"}) as running:
        yield running
    log = running.log()
    assert "Traceback" not in log and "fault" not in log, log


def dribble(client: Speaker, what: bytes) -> None:
    """Say this again and again until the server has had enough, which it must within ten seconds."""
    done = threading.Event()

    def say() -> None:
        while not done.wait(0.02):
            client.say(what)

    speaking = threading.Thread(target=say, daemon=True)
    speaking.start()
    try:
        while client.hear():
            pass
    finally:
        done.set()
        speaking.join()


DAWDLERS = {
    "a head": (HEAD + b"X: ", b"a"),
    "header after header": (HEAD, b"X: a\r\n"),
    "an address": (b"GET /", b"a"),
    "a body": (HEAD + b"Content-Length: 1000\r\n\r\n", b"a"),
    "a body in pieces": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "what follows the pieces": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"A: b\r\n"),
    "a page's form": (b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n", b"a"),
    "a form in pieces": (b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "an operation's body": (b"POST /api/v1/rules HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n", b"a"),
    "a callback": (b"POST /hooks/twilio/message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n", b"a"),
    "a body that was refused already": (b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n", b"a"),
    "empty lines": (b"", b"\r\n"),
    "empty lines after a request": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n"),
}  # fmt: skip


def test_clients_that_dawdle_are_let_go_and_meanwhile_others_are_answered(oncue: Managed):
    def dawdle(case: str) -> None:
        first, then = DAWDLERS[case]
        with Speaker(oncue.port) as client:
            client.say(first)
            dribble(client, then)

    with ThreadPoolExecutor(len(DAWDLERS)) as pool:
        dawdling = {case: pool.submit(dawdle, case) for case in DAWDLERS}
        while not all(one.done() for one in dawdling.values()):
            assert oncue.call("GET", "/readyz")[0] == 200
    faults = {case: fault for case, one in dawdling.items() if (fault := one.exception())}
    assert not faults


@pytest.mark.parametrize(
    ("first", "status"),
    [(b"GET / HTTP/1.1\r\nHost:", 408), (b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n", 408), (b"", None),
     (HEAD + b"Content-Length: 5\r\n\r\n{", 408),
     (b"POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n{", None),
     (b"POST /1/batch HTTP/1.1\r\nHost:", None), (b"POST /swrve.io/identify HTTP/1.1\r\nHost:", None), (b"POST /v1/batch HTTP/1.1\r\nHost:", None)],
)  # fmt: skip
def test_it_is_told_so_if_it_had_begun_to_ask(oncue: Managed, first: bytes, status: int | None):
    with Speaker(oncue.port) as client:
        client.say(first)
        said = client.hear()
        assert (said.status if said else None) == status
        assert client.is_closed()


def test_a_crowd_that_says_nothing_keeps_nobody_out(oncue: Managed):
    """Those that have said nothing for longest are closed for each that comes."""
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Speaker(oncue.port)) for _ in range(MOST * 4)]
        for one in crowd[::3]:
            one.say(HEAD)
        for _ in range(5):
            assert oncue.call("GET", "/readyz")[0] == 200
        assert sum(one.is_closed() for one in crowd[: MOST * 2]) == MOST * 2
    assert oncue.event("u", "came_through")
    assert oncue.log().count("more than 30 connections") == 1, "a warning, and not for each"


def connections(oncue: Managed) -> int:
    """Sockets that it has open."""
    count = 0
    for path in Path(f"/proc/{oncue.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            count += str(path.readlink()).startswith("socket:")
    return count


UNREAD = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200
"""Tens of megabytes are asked for."""


def test_a_request_that_is_being_answered_is_no_part_of_the_crowd(oncue: Managed):
    """Room is made among those that are waited for only."""
    with contextlib.ExitStack() as stack:
        unread = stack.enter_context(Speaker(oncue.port))
        unread.say(UNREAD)
        for _ in range(MOST * 2):
            stack.enter_context(Speaker(oncue.port))
        assert oncue.call("GET", "/readyz")[0] == 200
        said = [unread.hear() for _ in range(200)]
        assert {one.status for one in said if one} == {200} and None not in said


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc to count its sockets in")
def test_an_answer_that_is_not_read_is_not_kept_for_good(oncue: Managed):
    before = connections(oncue)
    with Speaker(oncue.port) as client:
        client.say(UNREAD)
        wait_for(lambda: connections(oncue) > before, 5)
        wait_for(lambda: connections(oncue) <= before, 20, lambda: "it is kept")


def test_an_answer_may_take_as_long_as_it_takes(oncue: Managed):
    """A stream outlasts every bound."""
    session = signed_in(oncue, "owner")
    with Speaker(oncue.port) as client:
        client.say(f"GET /live HTTP/1.1\r\nHost: localhost\r\nCookie: {session}\r\n\r\n".encode())
        said = client.hear(head_only=True)
        assert said and said.status == 200
        began = clock.elapsed()
        while clock.elapsed() - began < 2:
            oncue.event("u", "happened")
            assert client.read_until(b"data: "), "it was cut"


@pytest.mark.parametrize(
    ("soft", "hard", "most", "raised"),
    [
        (1_024, 524_288, 2_000, 2_200),
        (1_024, resource.RLIM_INFINITY, 2_000, 2_200),
        (1_024, 1_024, 824, 1_024),
        (65_536, 65_536, 2_000, None),
        (100, 100, 10, 100),
    ],
)
def test_files_are_left_for_all_else(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, most: int, raised: int | None
):
    """A shell allows 1,024; what the process may raise it to, it does."""
    set_to = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: set_to.append(limits))
    assert connection.room() == most
    assert set_to == ([(raised, hard)] if raised else [])


def test_the_bounds_are_those_that_are_documented():
    assert (connection.HEAD_WITHIN, connection.BODY_WITHIN, connection.TAKEN_WITHIN) == (10, 60, 60)
    assert (connection.MOST_HEAD, connection.MOST_HEADERS, connection.MOST_CONNECTIONS) == (32_768, 100, 2_000)
