"""The one way out: the HTTP client that adaptors are given, as values.

The client itself lives in `workers/`; it carries a deadline, follows no redirect, refuses forbidden addresses and records each
exchange with its secrets redacted. What it returns says whether the request can have reached the other side, since that decides
between trying again and asking what became of it.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class Response(msgspec.Struct, frozen=True):
    """An answer. Header names are lower-case; `body` is at most the limit asked for, the rest unread."""

    status: int
    headers: dict[str, str]
    body: bytes

    def text(self) -> str:
        """The body as text, whatever the bytes."""
        return self.body.decode("utf-8", "replace")


class NotSent(msgspec.Struct, frozen=True):
    """No byte of the request was written (DNS, refused connection, TLS, forbidden address): safe to try again."""

    reason: str
    forbidden: bool = False
    """The address is one that oncue refuses to call; trying again will not help."""


class NotKnown(msgspec.Struct, frozen=True):
    """The request was written, at least in part, and the answer lost: it may have been processed."""

    reason: str


Answer = Response | NotSent | NotKnown


class Http(Protocol):
    """What `send`, `check`, `poll` are given to speak with a provider."""

    def keep(self, record: dict[str, Any], body: bytes) -> None:
        """Keep what was said by another way than HTTP, as part of the exchange: texts by name, and the body that was sent."""
        ...

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
        """Make one request. `deadline` is in seconds for the whole of it; `trusted` allows private addresses (a host that an
        administrator configured, never one from a template); `limit` is the most bytes of the answer that are read."""
        ...
