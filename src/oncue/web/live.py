"""`/live`: tells a page, over server-sent events from the bare ASGI door, that the store holds more than it did.

A page is told how far the store has come and asks for what it shows anew, so nothing is missed by a reconnect: the first thing a new
connection hears is where things stand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

import msgspec

from oncue.core import clock
from oncue.store import progress, sessions
from oncue.web.access import COOKIE
from oncue.web.backstage import Backstage

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH = "/live"
LOOK_AFTER = 0.5
"""Seconds between looks whether anything was committed."""
BEAT_AFTER = 15.0
"""Seconds after which something is said in any case, so that proxies keep the connection and a dead one is noticed."""
CHECK_AFTER = 60.0
"""Seconds after which the session is looked up again: one that was revoked hears no more."""
MOST = 500
"""Streams at a time."""


class Live:
    """The ASGI application of that one path."""

    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage
        self._open = 0
        self._known: tuple[int, dict[str, int]] = (-1, {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the browser goes."""
        token = _token(scope)
        if scope["method"] != "GET" or not token or not await asyncio.to_thread(sessions.find_session, token):
            await _answer(send, 403)
            return
        if self._open >= MOST:
            await _answer(send, 503)
            return
        self._open += 1
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await self._stream(send, token, gone)
        finally:
            self._open -= 1
            gone.cancel()

    async def _stream(self, send: Send, token: str, gone: asyncio.Future[None]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        told: dict[str, int] = {}
        spoke_at = checked_at = clock.elapsed()
        while not gone.done():
            now = await self._where()
            if now != told:
                told = now
                await _say(send, b"data: " + msgspec.json.encode(now) + b"\n\n")
                spoke_at = clock.elapsed()
            elif clock.elapsed() - spoke_at > BEAT_AFTER:
                await _say(send, b": beat\n\n")
                spoke_at = clock.elapsed()
            if clock.elapsed() - checked_at > CHECK_AFTER:
                checked_at = clock.elapsed()
                if not await asyncio.to_thread(sessions.find_session, token):
                    break
            await asyncio.wait({gone}, timeout=LOOK_AFTER)
        await send({"type": "http.response.body", "body": b""})

    async def _where(self) -> dict[str, int]:
        """How far the store has come. Asked of the database once for all streams, and only when something was committed."""
        transactions = self._backstage.writer.transactions
        if self._known[0] != transactions:
            self._known = (transactions, await asyncio.to_thread(progress.newest))
        return self._known[1]


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold it back
]


def _token(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                return ""
            return found.value if found else ""
    return ""
