"""The carrier as an ASGI application: authentication, routes, and the faults that strike a request."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import re
import secrets
from typing import Any
from urllib.parse import unquote

import msgspec

from oncue.core import clock
from oncue.simulator import defaults, messages, senders
from oncue.simulator.answers import Form, Problem, Receive, Scope, Send, answer, answer_json, drop, form_of, read
from oncue.simulator.carrier import Carrier
from oncue.simulator.control import control
from oncue.simulator.faults import Fault
from oncue.simulator.webhooks import Caller
from oncue.simulator.world import World

log = logging.getLogger("oncue.simulator")

_RESOURCE = re.compile(
    r"/2010-04-01/Accounts/(AC[0-9a-f]{32})(?:/(Messages|IncomingPhoneNumbers)(?:/(\w{34})(/Media(?:/(ME\w{32}))?)?)?)?(?:\.json)?"
)
_SERVICE = re.compile(r"/v1/Services(?:/(MG[0-9a-f]{32})(/PhoneNumbers)?)?")

_CREDENTIALS = {
    defaults.ACCOUNT_SID: (defaults.AUTH_TOKEN, defaults.ACCOUNT_SID),
    defaults.API_KEY_SID: (defaults.API_KEY_SECRET, defaults.ACCOUNT_SID),
    defaults.TEST_ACCOUNT_SID: (defaults.TEST_AUTH_TOKEN, defaults.TEST_ACCOUNT_SID),
}


class Config(msgspec.Struct, frozen=True):
    """`pace` is seconds between a message's statuses; 0 is at once."""

    pace: float = 0.0


class Simulator:
    """The ASGI application."""

    def __init__(self, config: Config) -> None:
        self.world = World(config.pace)
        self.carrier = Carrier(self.world, Caller(defaults.AUTH_TOKEN), defaults.ACCOUNT_SID)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and end."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.carrier.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        query = form_of(scope["query_string"].decode("latin-1"))
        is_control = scope["path"].startswith("/_sim/")
        self.world.under_way += not is_control
        try:
            if is_control:
                path = unquote(scope["path"][6:])
                await control(self.world, self.carrier, scope["method"], path, query, receive, send)
            else:
                await self._route(scope, query, receive, send)
        except Problem as problem:
            await answer_json(send, problem.status, problem.body(), *self._headers(0))
        except asyncio.CancelledError:  # the server ends while somebody watches, or hangs on
            await drop(send)
        finally:
            self.world.under_way -= not is_control

    async def _route(self, scope: Scope, query: Form, receive: Receive, send: Send) -> None:
        path = scope["path"]
        account = self._authenticate(scope)
        found = _RESOURCE.fullmatch(path)
        if found:
            if found[1] != account:
                raise Problem(404, 20404, f"The requested resource {path} was not found")
            body = await read(receive)
            await self._resource(scope, found, account, query, body, send)
        elif service := _SERVICE.fullmatch(path):
            if account == defaults.TEST_ACCOUNT_SID:
                raise _forbidden()
            await self._service(scope, service, form_of((await read(receive)).decode(errors="replace")), send)
        else:
            raise Problem(404, 20404, f"The requested resource {path} was not found")

    def _authenticate(self, scope: Scope) -> str:
        """The account that the credentials are for. Raises `Problem`."""
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, encoded = given.partition(b" ")
        try:
            user, _, password = (
                base64.b64decode(encoded).decode().partition(":") if scheme.lower() == b"basic" else ("", "", "")
            )
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        token, account = _CREDENTIALS.get(user, ("", ""))
        if (
            not token
            or not secrets.compare_digest(token.encode(), password.encode())
            or self.world.faults.draw("", "auth")
        ):
            if not user:
                raise Problem(
                    401,
                    20003,
                    "Authentication Error - No credentials provided",
                    detail="Your AccountSid or AuthToken was incorrect.",
                )
            raise Problem(401, 20003, "Authenticate", detail="")
        return account

    async def _resource(
        self, scope: Scope, found: re.Match[str], account: str, query: Form, body: bytes, send: Send
    ) -> None:
        method, kind, one = scope["method"], found[2], found[3]
        if kind == "Messages" and not one and method == "POST":
            await self._create(scope, account, body, send)
            return
        if account == defaults.TEST_ACCOUNT_SID:
            raise _forbidden()
        form = form_of(body.decode(errors="replace"))
        match (found[4] and "Media") or kind, bool(one), method:
            case None, False, "GET":
                content: Any = senders.account_json(account)
            case "Messages", False, "GET":
                content = messages.page(self.world, account, query)
            case "Media", True, "DELETE" if found[5]:
                messages.delete_medium(messages.fetch(self.world, account, one), found[5])
                await answer(send, 204, b"", b"application/json", *self._headers(0))
                return
            case "Media", _, "GET":
                content = messages.media_json(messages.fetch(self.world, account, one), found[5] or "")
            case "Messages", True, "GET":
                content = messages.to_json(messages.fetch(self.world, account, one))
            case "Messages", True, "POST":
                message = messages.fetch(self.world, account, one)
                if messages.update(self.world, message, form):
                    self.carrier.notify(message)
                content = messages.to_json(message)
            case "Messages", True, "DELETE":
                messages.delete(self.world, messages.fetch(self.world, account, one))
                await answer(send, 204, b"", b"application/json", *self._headers(0))
                return
            case "IncomingPhoneNumbers", False, "GET":
                content = senders.numbers_json(self.world, query)
            case "IncomingPhoneNumbers", True, "GET" | "POST":
                number = senders.find_number(self.world, one)
                if method == "POST":
                    senders.change_number(number, form)
                content = senders.number_json(number)
            case _:
                raise Problem(405, 20004, "Method not allowed")
        await answer_json(send, 200, content, *self._headers(0))

    async def _service(self, scope: Scope, found: re.Match[str], form: Form, send: Send) -> None:
        if not found[1]:
            content = senders.services_json(self.world)
        else:
            service = senders.find_service(self.world, found[1])
            if scope["method"] == "POST":
                senders.change_service(service, form)
            content = senders.pool_json(self.world, service) if found[2] else senders.service_json(service)
        await answer_json(send, 200, content, *self._headers(0))

    async def _create(self, scope: Scope, account: str, body: bytes, send: Send) -> None:
        world = self.world
        world.requests += 1
        began = clock.elapsed()
        kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        if not kind.startswith(b"application/x-www-form-urlencoded"):
            # JSON is not read: every parameter seems missing
            raise Problem(400, 21604, "A 'To' phone number is required.")
        form = form_of(body.decode(errors="replace"))
        fault = world.faults.draw(form.get("To", ""), *_STRIKES) if world.faults.list else None
        if fault and await self._strike_before(fault, send):
            return
        message = messages.create(world, account, form)
        accepted = messages.to_json(message)
        if account != defaults.TEST_ACCOUNT_SID:
            if world.faults.draw(message.to, "callback_early"):
                await self.carrier.carry(message)
            else:
                self.carrier.dispatch(message)
        if fault and await self._strike_after(fault, send):
            return
        await answer_json(send, 201, accepted, *self._headers(began))

    async def _strike_before(self, fault: Fault, send: Send) -> bool:
        """A fault that strikes before anything is accepted; whether the request is over."""
        match fault.kind:
            case "429":
                raise Problem(429, 20429, "Too Many Requests")
            case "500_before":
                raise Problem(500, 20500, "An internal server error has occurred")
            case "503":
                raise Problem(503, 20503, "Service unavailable")
            case "refuse":
                raise Problem(400, fault.code, "Refused by the simulator")
            case "html_502":
                await answer(send, 502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", b"text/html")
                return True
            case "drop_before":
                await drop(send)
                return True
            case "slow":
                await asyncio.sleep(fault.seconds)
        return False

    async def _strike_after(self, fault: Fault, send: Send) -> bool:
        """A fault that strikes after the message was accepted; whether the request is over."""
        match fault.kind:
            case "500_after":
                raise Problem(500, 20500, "An internal server error has occurred")
            case "drop_after":
                await drop(send)
                return True
            case "hang":
                await asyncio.sleep(fault.seconds or 60)
                await drop(send)
                return True
        return False

    def _headers(self, began: float) -> tuple[tuple[bytes, bytes], ...]:
        took = clock.elapsed() - began if began else 0.0
        return (
            (b"twilio-request-id", b"RQ" + secrets.token_hex(16).encode()),
            (b"twilio-concurrent-requests", str(self.world.under_way).encode()),
            (b"twilio-request-duration", f"{took:.3f}".encode()),
        )


def _forbidden() -> Problem:
    return Problem(403, 20008, "Resource not accessible with Test Account Credentials")


_STRIKES = ("429", "500_before", "500_after", "503", "html_502", "drop_before", "drop_after", "hang", "slow", "refuse")


def build(config: Config | None = None) -> Simulator:
    """The ASGI application."""
    return Simulator(config or Config())
