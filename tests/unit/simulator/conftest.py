"""A simulator, the official `twilio` package that speaks with it, and a little server that it calls back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from oncue.core import clock
from oncue.simulator import defaults
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for


class Call:
    """One request that the carrier made, as it came over the wire."""

    def __init__(self, method: str, url: str, headers: dict[str, str], body: str) -> None:
        self.method, self.url, self.headers, self.body = method, url, headers, body
        self.form = dict(parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body)))
        self.status = self.form.get("MessageStatus", "")
        self.received_at = clock.now()

    @property
    def is_signed(self) -> bool:
        """Whether the official validator finds the signature good."""
        signature = self.headers["X-Twilio-Signature"]
        assert not RequestValidator("another token").validate(self.url, self.form, signature)
        return bool(RequestValidator(defaults.AUTH_TOKEN).validate(self.url, self.form, signature))


class Receiver:
    """A webhook: it keeps each call, and answers as told. `answers` are taken first, then `answer` for ever."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answer: tuple[int, str] = (204, "")
        self.answers: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self._called = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.hook = self.url + "/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.005,)).start()

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                url = receiver.url + self.path
                with receiver._called:
                    receiver.calls.append(Call(self.command, url, dict(self.headers), body))
                    receiver._called.notify_all()
                receiver.gate.wait(10)
                status, text = receiver.answer
                if receiver.answers:
                    status = receiver.answers.pop(0)
                self.close_connection = True
                if status == 0:  # hang up without a word
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST

            def log_message(self, *arguments: object) -> None:
                """Quiet."""

        return Handler

    def wait(self, count: int, within: float = 5) -> list[Call]:
        """The calls, once there are so many."""
        with self._called:
            assert self._called.wait_for(lambda: len(self.calls) >= count, within), f"{len(self.calls)}, not {count}"
        return self.calls

    def stop(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def _simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture
def simulator(_simulator: Simulator) -> Simulator:
    """The carrier, as at the start."""
    _simulator.reset()
    return _simulator


Connect = Callable[..., Client]


@pytest.fixture
def connect(simulator: Simulator) -> Iterator[Connect]:
    """The official client with these credentials, pointed at the simulator."""
    used: list[Client] = []

    def as_whom(user: str, password: str, account: str = "") -> Client:
        client = Client(user, password, account or None)
        client.api.base_url = client.messaging.base_url = simulator.url
        used.append(client)
        return client

    yield as_whom
    for client in used:
        client.http_client.session.close()


@pytest.fixture
def client(connect: Connect) -> Client:
    """The official client, as the account's owner."""
    return connect(defaults.ACCOUNT_SID, defaults.AUTH_TOKEN)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook on loopback."""
    server = Receiver()
    yield server
    server.stop()


@pytest.fixture
def final(client: Client) -> Callable[[str], object]:
    """Wait until a message has its last status; the message."""

    def wait(sid: str, status: str = "delivered") -> object:
        wait_for(lambda: client.messages(sid).fetch().status == status, 5, lambda: client.messages(sid).fetch().status)
        return client.messages(sid).fetch()

    return wait
