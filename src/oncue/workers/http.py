"""The one way out: HTTP with deadlines, a pool of connections, and an honest answer to "can it have arrived?".

No redirect is followed (a 307 would post again) and no POST or PATCH is made twice: aiohttp repeats idempotent methods only. Before
aiohttp writes the first byte it asks the connector for a connection: where that fails, nothing was sent (`NotSent`); whatever else goes
wrong is `NotKnown`. Requests that are not trusted have connections of their own, which reach public addresses only.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from oncue import __version__
from oncue.core import clock
from oncue.core.http import Answer, NotKnown, NotSent, Response
from oncue.core.redact import HIDDEN, Redactor, credentials, is_credential
from oncue.workers.addresses import Forbidden, PublicResolver, is_public, literal, public_socket
from oncue.workers.deadlines import Deadlines

CONNECT_WITHIN = 5.0
_KEPT_OPEN_FOR = 20.0
_MOST_CONNECTIONS = 200
_SHOWN = 4_000
"""Characters of a body that an exchange keeps."""


class _Progress:
    __slots__ = ("is_written", "until")

    def __init__(self, deadline: float) -> None:
        self.is_written: bool | None = None
        """Whether anything may have been; None while nobody can tell."""
        self.until = clock.elapsed() + deadline


_under_way: ContextVar[_Progress] = ContextVar("under_way")
"""Of the request that this task makes."""


def _mark_written(progress: _Progress) -> None:
    if clock.elapsed() > progress.until:  # it was stopped meanwhile, and the timers of the loop have not run yet
        raise aiohttp.ClientConnectionError("the deadline had passed before anything was written")
    progress.is_written = True


class _Connector(aiohttp.TCPConnector):
    """Tells whether a request got its connection, and so may have been written. A trace tells the moment itself, at a fifth of a request's
    cost."""

    async def connect(self, *given: Any, **named: Any) -> aiohttp.connector.Connection:
        progress, connection = _under_way.get(), None
        try:
            connection = await super().connect(*given, **named)
            _mark_written(progress)
        except BaseException:
            progress.is_written = bool(progress.is_written)  # it may have been by the connection before this one
            if connection:
                connection.release()
            raise
        return connection


class Client:
    """Makes requests. Sessions are opened on first use, on the running loop; `close` ends them."""

    def __init__(self) -> None:
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._deadlines = Deadlines()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        auth: tuple[str, str] | None = None,
        deadline: float = 15.0,
        trusted: bool = False,
        limit: int = 1_000_000,
    ) -> Answer:
        """See `oncue.core.http.Http`."""
        refusal = _refusal(url, trusted)
        if refusal is None and headers and any(map(_BREAK.search, chain.from_iterable(headers.items()))):
            refusal = "A header's name and value must each be one line."
        if refusal:
            return NotSent(refusal, forbidden=True)
        if auth:
            headers = {**(headers or {}), "Authorization": _basic(auth)}
        progress = _Progress(deadline)
        _under_way.set(progress)
        session, timeout = self._session(trusted), self._deadlines.set(deadline)
        try:
            async with (
                timeout,
                session.request(method, url, headers=headers, data=body, allow_redirects=False) as answer,
            ):
                content = await _read(answer, limit)
                return Response(answer.status, _texts(answer.headers), content)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _failed(error, progress)
        finally:
            self._deadlines.unset(timeout)

    def recording(self, redactor: Redactor) -> Exchange:
        """The same, but keeping what was said, without its secrets."""
        return Exchange(self, redactor)

    def keep(self, record: dict[str, Any], body: bytes) -> None:
        """Nothing is kept where nothing is recorded."""

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _session(self, trusted: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(trusted)
        if session is None:
            connector = _Connector(
                limit=_MOST_CONNECTIONS,
                keepalive_timeout=_KEPT_OPEN_FOR,
                resolver=None if trusted else PublicResolver(),
                socket_factory=None if trusted else public_socket,
                ttl_dns_cache=60,
            )
            session = self._sessions[trusted] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"oncue/{__version__}", "Accept-Encoding": "identity"},
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN),
            )
        return session


_BREAK = re.compile(r"[\r\n\x00]")


@lru_cache(maxsize=100)
def _basic(auth: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()


@lru_cache(maxsize=100)
def _refusal(url: str, trusted: bool) -> str | None:
    """Why an address may not be called, as far as the address itself shows."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return f"{url[:200]!r} is not a web address."
    if parts.scheme not in ("http", "https") or not host:
        return f"{url[:200]!r} is not a web address that starts with http:// or https://."
    address = None if trusted else literal(host)
    if address is not None and not is_public(address):
        return f"{host} is an address that is not public; oncue does not call it."
    return None


def _texts(headers: Mapping[str, str]) -> dict[str, str]:
    """Bytes that are no UTF-8 come as halves of surrogate pairs, which cannot be kept."""
    return {
        name.lower(): value if value.isascii() else value.encode("utf-8", "replace").decode()
        for name, value in headers.items()
    }


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    content = bytearray()
    while not answer.content.at_eof():
        if len(content) >= limit:
            answer.close()  # more than anybody asked for: the rest stays unread
            break
        content += await answer.content.read(limit - len(content))
    return bytes(content)


def _failed(error: Exception, progress: _Progress) -> Answer:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Forbidden):
            return NotSent(f"{cause}; oncue does not call it.", forbidden=True)
        cause = getattr(cause, "os_error", None) or cause.__cause__
    what = str(error) or ("no answer in time" if isinstance(error, asyncio.TimeoutError) else type(error).__name__)
    is_no_address = isinstance(error, ValueError) and not isinstance(error, OSError)  # a bad certificate is both
    if is_no_address and not progress.is_written:
        return NotSent(f"The address cannot be called: {what}.", forbidden=True)
    if progress.is_written is False:
        return NotSent(f"The request could not be sent: {what}.")
    return NotKnown(f"The connection failed after the request was written: {what}.")


_LONGEST_SECRET = 1_000
_HIDDEN_USERINFO = rf"\1{HIDDEN}@"
_USERINFO = re.compile(r"^([a-z]+://)[^/?#]*@", re.IGNORECASE)


class Exchange:
    """An `Http` that keeps what was said. `records` is ready for JSON, secrets redacted, bodies cut."""

    def __init__(self, client: Client, redactor: Redactor) -> None:
        self.records: list[dict[str, Any]] = []
        self._client = client
        self._redactor = redactor

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        auth: tuple[str, str] | None = None,
        deadline: float = 15.0,
        trusted: bool = False,
        limit: int = 1_000_000,
    ) -> Answer:
        """See `oncue.core.http.Http`."""
        began = clock.elapsed()
        answer = await self._client.request(
            method, url, headers=headers, body=body, auth=auth, deadline=deadline, trusted=trusted, limit=limit
        )
        # What another side says may repeat the credentials that a rule sent it.
        hide = self._redactor.also(credentials(headers or {}))
        record: dict[str, Any] = {
            "method": method,
            "url": hide.text(_USERINFO.sub(_HIDDEN_USERINFO, url) if "@" in url else url),
            "took_ms": round((clock.elapsed() - began) * 1000, 1),
        }
        shown = _shown(headers or {}, hide) | ({"Authorization": HIDDEN} if auth else {})
        if shown:
            record["request_headers"] = shown
        if body:
            record["request_body"] = _body(body, hide)
        if isinstance(answer, Response):
            record["status"] = answer.status
            record["response_headers"] = _shown(answer.headers, hide)
            record["response_body"] = _body(answer.body, hide)
        else:
            record["error"] = hide.text(answer.reason)
        self.records.append(record)
        return answer

    def keep(self, record: dict[str, Any], body: bytes) -> None:
        """What was said by another way than HTTP (SMTP): its texts, and the body that was sent."""
        texts = {
            name: self._redactor.text(value) if isinstance(value, str) else value for name, value in record.items()
        }
        self.records.append({**texts, "request_body": _body(body, self._redactor)})


def _shown(headers: Mapping[str, str], hide: Redactor) -> dict[str, str]:
    return {name: HIDDEN if is_credential(name) else hide.text(value) for name, value in headers.items()}


def _body(body: bytes, hide: Redactor) -> str:
    """Redacted first and cut afterwards, since a secret cut in two would not be recognised."""
    text = hide.text(body[: _SHOWN + _LONGEST_SECRET].decode("utf-8", "replace"))
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
