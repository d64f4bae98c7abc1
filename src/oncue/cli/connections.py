"""Connections: how many callers may have open, and how long one may say nothing.

Each is an open file, and so are the database and every call to a provider. Callers who open connections and say nothing must not take them all:
some are kept back, one that is silent is cut, and who comes when there is no room is told so at once.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from oncue.core import clock
from oncue.ingest.answers import answer_json

log = logging.getLogger("oncue")

SPEAK_WITHIN = 20.0
"""Seconds for the head of a request to arrive: the first on a connection, and each that was begun."""

SPEAK_WITHIN_WHEN_FULL = 1.0

KEPT_BACK = 300
"""Files that are not for callers: calls under way to providers, the database and its readers."""

ASIDE = 100
"""Of these, connections that are still heard, and answered 503; beyond them they are dropped."""

MOST_FILES = 65_536

FULL = "oncue has as many connections open as it may; try again in a moment."


def room() -> int:
    """Have as many files as the system allows; how many connections callers may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    files = MOST_FILES if soft == resource.RLIM_INFINITY else soft
    return max(files - KEPT_BACK, files // 2)


def protocol(most: int) -> type[asyncio.Protocol]:
    """uvicorn's protocol, for so many connections at a time."""

    class Connection(_Connection):
        room = most

    return Connection


class _Connection(HttpToolsProtocol):
    room = 0
    _told_at = float("-inf")
    _silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        count = len(self.connections)
        if count > self.room:
            self._tell()
            self.app = _full
            if count > self.room + min(ASIDE, self.room // 2):
                transport.abort()
                return
        self._hear(SPEAK_WITHIN_WHEN_FULL if count > self.room else SPEAK_WITHIN)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._silence is None:
            self._hear(SPEAK_WITHIN)

    def on_headers_complete(self) -> None:
        self._heard()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard()
        super().connection_lost(exc)

    def _hear(self, within: float) -> None:
        self._silence = self.loop.call_later(within, self.timeout_keep_alive_handler)

    def _heard(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _tell(self) -> None:
        now = clock.elapsed()
        if now - _Connection._told_at > 60:
            _Connection._told_at = now
            log.error("%d connections are open, as many as there may be; new ones are answered 503", self.room)


async def _full(scope: Any, receive: Any, send: Any) -> None:
    await answer_json(send, 503, {"error": FULL}, (b"retry-after", b"1"), (b"connection", b"close"))
