"""Reading requests and answering as Twilio's API does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_encode = msgspec.json.Encoder().encode


class Problem(Exception):
    """An answer that is an error, with Twilio's code."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.more = more

    def body(self) -> dict[str, Any]:
        """As Twilio writes it."""
        return {
            "code": self.code,
            **self.more,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


class Form(dict[str, str]):
    """A form: the last value of each name, and all of those repeated in `lists`."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self.lists: dict[str, list[str]] = {}
        for name, value in pairs:
            self.lists.setdefault(name, []).append(value)


def form_of(text: str) -> Form:
    """A form or a query."""
    return Form(parse_qsl(text, keep_blank_values=True))


async def read(receive: Receive) -> bytes:
    """A request's body."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def answer(
    send: Send, status: int, body: bytes, kind: bytes = b"application/json", *headers: tuple[bytes, bytes]
) -> None:
    """Send a whole answer."""
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, content: Any, *headers: tuple[bytes, bytes]) -> None:
    """Send JSON."""
    await answer(send, status, _encode(content), b"application/json", *headers)


async def drop(send: Send) -> None:
    """Cut the TCP connection, as a network does: no answer, no goodbye. Knows uvicorn's protocol object."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]
    for _ in range(3):  # the server must see that it is gone before this request ends, or it answers 500
        await asyncio.sleep(0)
