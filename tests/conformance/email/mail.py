"""What the e-mail tables share: a real mail server (aiosmtpd), one that misbehaves on command, and a message to hand over."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from oncue.adaptors.email import adaptor
from oncue.core import clock
from oncue.core.adaptor import Outgoing
from oncue.core.outcome import Outcome
from oncue.core.redact import Redactor
from oncue.testing import free_port
from oncue.workers.http import Client, Exchange
from oncue.workers.sender import redactor

MESSAGE = "0190a0b0c0d0e0f0a0b0c0d0e0f0a0b0"
USER, PASSWORD = "shop", "s3cr/t@töken"
FIELDS = {"to": "ann@example.com", "subject": "Booking 7", "text": "It is confirmed."}


class Kept:
    """What a mail server was given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.encrypted: list[bool] = []
        self.logins: list[str] = []
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.content)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 OK kept as 42"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append(mechanism)
        right = (given.login.decode(), given.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=right, handled=False)


class _Implicit(Controller):
    """TLS from the first byte. Started without a handshake: whether one succeeds is what a test asks."""

    def _trigger_server(self) -> None:
        socket.create_connection((self.hostname, self.port)).close()


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, implicit: bool = False, **options: Any) -> Iterator[Kept]:
    """aiosmtpd on loopback; with `tls` it offers STARTTLS, or speaks TLS from the first byte."""
    kept = Kept()
    kept.port = free_port()
    options = {"authenticator": kept.authenticate, "auth_require_tls": False, "hostname": "127.0.0.1", **options}
    if implicit:
        controller: Controller = _Implicit(kept, port=kept.port, ssl_context=tls, **options)
    else:
        controller = Controller(kept, port=kept.port, tls_context=tls, **options)
    log = logging.getLogger("mail.log")  # the server's own: a client that hangs up on its certificate is a fault to it
    level = log.level
    log.setLevel(logging.CRITICAL)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()
        log.setLevel(level)


class Script:
    """A mail server that gives the answers of a table: command → answer; None hangs, b"" hangs up."""

    def __init__(self, answers: dict[str, bytes | None]) -> None:
        self.answers = answers
        self.said: list[str] = []
        self.bodies = 0
        self.port = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(writer, "HELLO", b"220 ready\r\n")
            while line := await reader.readline():
                command = line.decode().split(None, 1)[0].upper()
                self.said.append(line.decode().strip())
                default = {"DATA": b"354 go on\r\n", "EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 in\r\n"}
                await self._answer(writer, command, default.get(command, b"250 fine\r\n"))
                if command == "DATA" and self.answers.get("DATA", b"354").startswith(b"354"):
                    await reader.readuntil(b"\r\n.\r\n")
                    self.bodies += 1
                    await self._answer(writer, "BODY", b"250 taken\r\n")
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # hung up, by either side
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, command: str, usual: bytes) -> None:
        answer = self.answers.get(command, usual)
        if answer is None:
            await asyncio.Event().wait()
        if not answer:
            raise ConnectionError
        writer.write(answer)
        await writer.drain()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        held: list[asyncio.Task[None]] = []

        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(asyncio.current_task())  # type: ignore[arg-type]
            await self.connected(reader, writer)

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)
            await server.wait_closed()


def config(smtp_url: str, **more: Any) -> dict[str, Any]:
    return {"smtp_url": smtp_url, "from": "Shop <shop@example.com>", "messages_per_second": 0, **more}


def outgoing(attempt: int = 1, **fields: Any) -> Outgoing:
    return Outgoing(
        id=MESSAGE, attempt=attempt, fields={**FIELDS, **fields}, recipient=fields.get("to", FIELDS["to"]),
        send_by=clock.now() + clock.HOUR,
    )  # fmt: skip


def exchange(given: dict[str, Any]) -> Exchange:
    """What the sender gives an adaptor."""
    return Client().recording(redactor(adaptor, given))


def send(given: dict[str, Any], message: Outgoing | None = None, http: Any = None) -> Outcome:
    """Hand it over, as the sender does."""
    http = http or Exchange(Client(), Redactor([]))
    return asyncio.run(adaptor.actions[0].send(http, given, message or outgoing()))


def told(answers: dict[str, bytes | None], login: str = "", **fields: Any) -> tuple[Outcome, Script, Exchange]:
    """Hand a message to a server that answers by this table: (outcome, what the server saw, what was kept)."""
    script = Script(answers)

    async def both() -> tuple[Outcome, Exchange]:
        async with script.serving():
            given = config(f"smtp://{login}127.0.0.1:{script.port}")
            http = exchange(given)
            return await adaptor.actions[0].send(http, given, outgoing(**fields)), http

    outcome, http = asyncio.run(both())
    return outcome, script, http
