"""What a page is sent has a limit, held before Django reads it: Django would put whatever comes on disk before it asks who sent it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import msgspec

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[..., Awaitable[None]]

MOST_BYTES = 6_000_000
"""A file of 5 MB to import, and its form."""

_SENTENCE = "This is larger than 6 MB; send it in parts."
_API = "/api/"
"""Under this path answers are problems as programs read them (RFC 9457)."""


class Bounded:
    """The ASGI application, with the limit in front of it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer 413 where the length says so, and where it does not, when it has grown too long."""
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        figures = length.lstrip(b"0")[:20]  # however many zeros stand before it
        if not length.isdigit() or int(figures or b"0") > MOST_BYTES:
            await _refuse(scope, send)
            return
        taken, has_begun = 0, False

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return {"type": "http.disconnect"} if taken > MOST_BYTES else message

        async def answering(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        await self._app(scope, bounded, answering)
        if taken > MOST_BYTES and not has_begun:
            await _refuse(scope, send)


async def _refuse(scope: MutableMapping[str, Any], send: Send) -> None:
    content_type, body = _refusal(str(scope.get("path") or ""))
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _refusal(path: str) -> tuple[bytes, bytes]:
    """Its type, and what it says."""
    if not path.startswith(_API):
        return b"text/plain", _SENTENCE.encode()
    title = HTTPStatus(413).phrase
    problem = {"type": "about:blank", "title": title, "status": 413, "detail": _SENTENCE, "errors": []}
    return b"application/problem+json", msgspec.json.encode(problem)
