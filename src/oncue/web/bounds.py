"""What a page is sent has a limit, held before Django reads it: Django would put whatever comes on disk before it asks who sent it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[..., Awaitable[None]]

MOST_BYTES = 6_000_000
"""A file of 5 MB to import, and its form."""

_SENTENCE = b"This is larger than 6 MB; send it in parts."


class Bounded:
    """The ASGI application, with the limit in front of it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer 413 where the length says so; where it does not, the request ends when it has grown too long."""
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(_SENTENCE)).encode()), (b"connection", b"close")]  # fmt: skip
            await send({"type": "http.response.start", "status": 413, "headers": headers})
            await send({"type": "http.response.body", "body": _SENTENCE})
            return
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return {"type": "http.disconnect"} if taken > MOST_BYTES else message

        await self._app(scope, bounded, send)
