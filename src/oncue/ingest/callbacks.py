"""`/hooks/<adaptor>/<inbound>[/<tail>]`: what providers call. The adaptor verifies first; the answer comes after the commit.

The URL that a signature is checked against is built from the public URL as configured and the raw path and query as received, never from
forwarded headers, which anybody can set. When the public URL has a path of its own, the proxy may keep or strip it.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from oncue.core.adaptor import Heard, Request
from oncue.core.adaptor import Refused as NotVerified
from oncue.ingest.answers import Hears, Refused, Scope, Send, answer, read_body
from oncue.ingest.counts import Counts
from oncue.ingest.doors import Doors
from oncue.ingest.native import commit

log = logging.getLogger("oncue.ingest")

PREFIX = b"/hooks/"
MOST_BYTES = 1_000_000


class Callbacks:
    """The door for providers."""

    def __init__(self, doors: Doors, counts: Counts) -> None:
        self._doors = doors
        self._counts = counts
        self._base = urlsplit(doors.public_url).path.rstrip("/").encode()

    def path(self, raw_path: bytes) -> bytes | None:
        """The path below the public URL if it is one of ours: with the public URL's own path or without."""
        if raw_path.startswith(PREFIX):
            return raw_path
        if self._base and raw_path.startswith(self._base + PREFIX):
            return raw_path[len(self._base) :]
        return None

    async def hear(self, path: bytes, scope: Scope, receive: Hears, send: Send) -> int:
        """Answer one call; returns the status. Raises `Refused`."""
        adaptor, _, rest = path[len(PREFIX) :].decode("latin-1").partition("/")
        name, _, tail = rest.partition("/")
        found = self._doors.inbound(adaptor, name)
        if found is None:
            raise Refused(404, "Nothing is called here.")
        if not self._doors.public_url:
            raise Refused(404, "ONCUE_PUBLIC_URL is not set, so no call can be verified; oncue polls instead.")
        inbound, config = found
        query = scope.get("query_string", b"")
        request = Request(
            method=scope["method"],
            url=self._doors.public_url + path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else ""),
            tail=tail,
            headers={key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]},
            body=await read_body(scope, receive, MOST_BYTES),
        )
        heard = inbound.read(config, request)
        if isinstance(heard, NotVerified):
            self._counts.calls[adaptor, "refused"] += 1
            log.warning("a call to %s was refused: %s", path.decode("latin-1"), heard.reason)
            raise Refused(heard.status, heard.reason)
        return await self._take(adaptor, heard, send)

    async def _take(self, adaptor: str, heard: Heard, send: Send) -> int:
        await commit(self._doors.reports(adaptor, heard.reports))
        self._counts.calls[adaptor, "heard"] += 1
        await answer(send, 200, heard.answer, (b"content-type", heard.content_type.encode()))
        return 200
