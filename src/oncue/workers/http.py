"""The one way out: HTTP with deadlines, a pool of connections, and an honest answer to "can it have arrived?".

No redirect is followed (a 307 would post again) and nothing is repeated: aiohttp repeats idempotent methods only, never a POST. Before
aiohttp writes the first byte it calls a hook; an error before that is `NotSent`, after it `NotKnown`.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from oncue.core import clock
from oncue.core.http import Answer, NotKnown, NotSent, Response
from oncue.core.redact import Redactor
from oncue.core.redact import headers as without_credentials
from oncue.workers.addresses import Forbidden, PublicResolver, is_public, literal

CONNECT_WITHIN = 5.0
_KEPT_OPEN_FOR = 20.0
_MOST_CONNECTIONS = 200
_SHOWN = 4_000
"""Characters of a body that an exchange keeps."""


class _Progress:
    __slots__ = ("is_written",)

    def __init__(self) -> None:
        self.is_written = False


async def _mark_written(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
    context.trace_request_ctx.is_written = True


class Client:
    """Makes requests. Sessions are opened on first use, on the running loop; `close` ends them."""

    def __init__(self) -> None:
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

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
        refusal = None if trusted else _refusal(url)
        if refusal:
            return NotSent(refusal, forbidden=True)
        progress = _Progress()
        try:
            async with self._session(trusted).request(
                method,
                url,
                headers={"Accept-Encoding": "identity", **(headers or {}), **_credentials(auth)},
                data=body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=deadline, sock_connect=CONNECT_WITHIN),
                trace_request_ctx=progress,
            ) as answer:
                content = await _read(answer, limit)
                return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, content)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return _failed(error, progress)
        except ValueError as error:  # an address that aiohttp cannot read
            return NotSent(f"The address {url[:200]!r} cannot be called: {error}.", forbidden=True)

    def recording(self, redactor: Redactor) -> Exchange:
        """The same, but keeping what was said, without its secrets."""
        return Exchange(self, redactor)

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _session(self, trusted: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(trusted)
        if session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_mark_written)
            connector = aiohttp.TCPConnector(
                limit=_MOST_CONNECTIONS,
                keepalive_timeout=_KEPT_OPEN_FOR,
                resolver=None if trusted else PublicResolver(),
                ttl_dns_cache=60,
            )
            session = self._sessions[trusted] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trace_configs=[trace]
            )
        return session


def _credentials(auth: tuple[str, str] | None) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(*auth, encoding="utf-8")} if auth else {}


def _refusal(url: str) -> str | None:
    """Why an untrusted address may not be called, as far as the address itself shows."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return f"{url[:200]!r} is not a web address."
    if parts.scheme not in ("http", "https") or not host:
        return f"{url[:200]!r} is not a web address that starts with http:// or https://."
    address = literal(host)
    if address is not None and not is_public(address):
        return f"{host} is an address that is not public; oncue does not call it."
    return None


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    content = bytearray()
    while len(content) < limit:
        piece = await answer.content.read(limit - len(content))
        if not piece:
            break
        content += piece
    else:
        answer.close()  # more than anybody asked for: the rest stays unread
    return bytes(content)


def _failed(error: Exception, progress: _Progress) -> Answer:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Forbidden):
            return NotSent(f"{cause}; oncue does not call it.", forbidden=True)
        cause = getattr(cause, "os_error", None) or cause.__cause__
    what = str(error) or ("no answer in time" if isinstance(error, asyncio.TimeoutError) else type(error).__name__)
    return (
        NotKnown(f"The connection failed after the request was written: {what}.")
        if progress.is_written
        else NotSent(f"The request could not be sent: {what}.")
    )


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
        hide = self._redactor.text
        record: dict[str, Any] = {
            "method": method,
            "url": hide(url),
            "took_ms": round((clock.elapsed() - began) * 1000, 1),
        }
        if headers:
            record["request_headers"] = {name: hide(value) for name, value in without_credentials(headers).items()}
        if body:
            record["request_body"] = hide(body[:_SHOWN].decode("utf-8", "replace"))
        if isinstance(answer, Response):
            record["status"] = answer.status
            record["response_headers"] = without_credentials(answer.headers)
            record["response_body"] = hide(answer.body[:_SHOWN].decode("utf-8", "replace"))
        else:
            record["error"] = hide(answer.reason)
        self.records.append(record)
        return answer
