"""One client's connection: uvicorn's, with the bounds that uvicorn lacks, and strict where proxies and servers disagree about HTTP.

A request may not dawdle, its head may not grow without end, an answer may not be left unread for good, and there are no more connections than
the process has room for: without these, whoever opens connections and says nothing keeps everybody else out, and keeps oncue from opening
files and calling providers. What is no HTTP is answered 400 and closed, and is not logged: anybody could fill the log.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import resource
import socket
import struct
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from oncue.cli.joined import Joined

log = logging.getLogger("oncue")

HEAD_WITHIN = 10.0
"""Seconds for a request's head, from when the connection was made or the answer before it was given."""
BODY_WITHIN = 60.0
"""Seconds from there for its body: a file of 5 MB over a slow line."""
TAKEN_WITHIN = 60.0
"""Seconds that an answer may wait for a client that does not read."""
LOOK_AFTER = 1.0
"""Seconds between looks at a connection."""

MOST_HEAD = 32_768
"""Bytes of a request's head, its address included; and of what stands between the pieces of a body, and after it."""
MOST_HEADERS = 100
MOST_CONNECTIONS = 2_000
LEFT_OVER = 200
"""Files that connections leave for the database, the sender and the log."""
SAY_AFTER = 60.0

_OF_AN_SDK = re.compile(rb"/1/|/identify|/v1/(?!events$)[a-z]+$")
"""Addresses whose callers take 408 for good, and throw away what they could not send in time; a connection that is lost they try again."""

_FRAMING = (b"content-length", b"transfer-encoding")


class Crowd:
    """All connections of the process. When there is one too many, the one whose request has been awaited for longest goes: a client that has
    something to ask is served, however many say nothing."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.arriving: dict[Connection, None] = {}
        """Those whose next request has not arrived in full; longest first."""
        self._said_at = -math.inf

    def make_room(self, now: float) -> None:
        """Close one, if there is one that nothing is owed to."""
        if now - self._said_at > SAY_AFTER:
            self._said_at = now
            log.warning("there are more than %d connections; those that ask nothing for longest are closed", self.most)
        if self.arriving:
            next(iter(self.arriving)).let_go()


def room() -> int:
    """How many connections the process has files for. Raises its own limit to what it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + LEFT_OVER
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(MOST_CONNECTIONS, soft - LEFT_OVER), 10)


class Connection(HttpToolsProtocol):
    """Made by uvicorn for each client."""

    def __init__(self, crowd: Crowd, **given: Any) -> None:
        super().__init__(**given)
        self._crowd = crowd
        self._arrive_by = self._taken_by = math.inf
        self._unused = 0
        """Bytes that nothing has been made of yet."""
        self._refusal = 400
        self.url = b""
        self._is_deaf = self._is_known = False
        self._head: list[tuple[bytes, bytes]] = []
        self._look_later: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]
        self._await_request()
        self._look_later = self.loop.call_later(LOOK_AFTER, self._look)
        if len(self.connections) > self._crowd.most:
            self._crowd.make_room(self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone, or was let go."""
        self._crowd.arriving.pop(self, None)
        if self._look_later is not None:
            self._look_later.cancel()
        self._disconnect()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request, or of several."""
        self._unset_keepalive_if_required()
        if self._is_deaf:
            return
        self._unused += len(data)
        while data:
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = self._speak_on(data[upgrade.args[0] :])
            except httptools.HttpParserError:
                self._refuse(self._refusal)
                return
        if self._unused > MOST_HEAD:
            self._refuse(431)

    def on_headers_complete(self) -> None:
        """Its head is there."""
        if self._is_known:
            self._is_known = False
            self._unused = 0
            return
        self._refusal = self._fault()
        if self._refusal:
            raise ValueError("it is not taken")
        self._refusal = 400
        self._unused = 0
        super().on_headers_complete()
        self._arrive_by = self.loop.time() + BODY_WITHIN
        # A header that comes after the body counts for nothing: a proxy would not have looked at it.
        self._head, self.headers = self.headers, []

    def on_body(self, body: bytes) -> None:
        """A piece of its body."""
        self._unused = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._unused = 0
        if self.parser.should_upgrade() and self._framing():
            return  # the parser thinks that what follows is no HTTP; `_speak_on` knows better
        super().on_message_complete()
        if not self.cycle.response_complete:
            self._arrive_by = math.inf
            self._crowd.arriving.pop(self, None)

    def on_response_complete(self) -> None:
        """An answer was given."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._await_request()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self._taken_by = self.loop.time() + TAKEN_WITHIN

    def resume_writing(self) -> None:
        """It does."""
        super().resume_writing()
        self._taken_by = math.inf

    def let_go(self) -> None:
        """Close, at once: what it has not read yet is lost, and the kernel does not keep it either."""
        self._crowd.arriving.pop(self, None)
        self._disconnect()
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, app)
        self._running = cycle

    def _disconnect(self) -> None:
        """Have the request that is being answered know: uvicorn tells the one that came last, of several at once."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def _await_request(self) -> None:
        self._arrive_by = self.loop.time() + HEAD_WITHIN
        self._crowd.arriving.pop(self, None)
        self._crowd.arriving[self] = None

    def _fault(self) -> int:
        """The status for a head that is not taken; 0 if it is. What the parser lets pass is refused here where another reader of the same
        bytes might find another request in them."""
        names = [name for name, _ in self.headers]
        if len(names) > MOST_HEADERS or (self._unused > MOST_HEAD and self._size() > MOST_HEAD):
            return 431
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            return 505
        if b"transfer-encoding" in names and dict(self.headers)[b"transfer-encoding"].strip().lower() != b"chunked":
            return 501
        hosts = names.count(b"host")
        return 0 if hosts == 1 or (hosts == 0 and version == "1.0") else 400

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _speak_on(self, rest: bytes) -> bytes:
        """A request that also asked for another protocol (Java's client asks for HTTP/2 each time) is answered as what else it is: its body and
        what follows are read by a new parser, which hears of its framing first."""
        framing = self._framing()
        self.parser = httptools.HttpRequestParser(self)
        self._is_known = bool(framing)
        known = b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % one for one in framing)
        return known + rest if framing else rest

    def _framing(self) -> list[tuple[bytes, bytes]]:
        return [(name, value) for name, value in self._head if name in _FRAMING]

    def _look(self) -> None:
        now = self.loop.time()
        self._look_later = self.loop.call_later(LOOK_AFTER, self._look)
        if now > self._taken_by:
            self.let_go()
        elif self.transport.is_closing():
            self._taken_by = min(self._taken_by, now + TAKEN_WITHIN)
        elif now > self._arrive_by:
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Say why, and close. A request before this one is answered first: it may have been carried out."""
        self._is_deaf = True
        cycle, is_idle = self.cycle, self.cycle is None or self.cycle.response_complete
        if not is_idle and not cycle.more_body:
            cycle.keep_alive = False
            return
        if is_idle or not (cycle.response_started or self.pipeline):
            if status != 408 or ((self._unused or not is_idle) and not _OF_AN_SDK.search(self.url)):
                said = _SENTENCES[status].encode()
                head = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
                self.transport.write(STATUS_LINE[status] + head % len(said) + said)
            self._disconnect()
        self.transport.close()


_SENTENCES = {
    400: "This is no HTTP request that can be read here.\n",
    408: f"The request did not arrive in time: its head within {HEAD_WITHIN:.0f} seconds, its body within {BODY_WITHIN:.0f}.\n",
    431: f"The head of a request has at most {MOST_HEAD:,} bytes and {MOST_HEADERS} headers here.\n",
    501: "The only transfer encoding that is known here is chunked.\n",
    505: "HTTP/1.0 and HTTP/1.1 are spoken here.\n",
}
