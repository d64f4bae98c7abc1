"""The door for Swrve's SDKs and its Events API. `swrve` reads what they send.

A temporary fault is always 500: Swrve's web SDK drops its events on 429 and 503, and any SDK drops them on what is permanent (4xx).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from oncue.core import clock
from oncue.core.items import Key, Source
from oncue.core.keeping import unfit_text
from oncue.ingest import sdk, swrve
from oncue.ingest.answers import Hears, Refused, Scope, Send, answer, answer_json, header, read_body
from oncue.ingest.doors import Doors
from oncue.ingest.native import commit

MOST_BYTES = 5_000_000
"""As much as a browser keeps for a page."""
_SINGLE = ("event", "user", "session_start", "session_end", "purchase", "buy_in", "currency_given", "iap")
_CONTENT = ("user_content", "user_resources_and_campaigns", "user_resources_diff")
_PATH = re.compile(
    rf"(?:/(?P<prefix>[^/]+))?/(?P<route>1/(?:batch|{'|'.join(_SINGLE)})|identify|api/1/(?:{'|'.join(_CONTENT)}))"
)

_FLUSH = {"flush_frequency": 30_000, "flush_refresh_delay": 5_000}
"""Milliseconds. Without them the web SDK never begins to send what it has."""

_TEMPORARY = frozenset({429, 502, 503, 504})


class Swrve:
    """The door. Paths are at the root, where iOS looks, or below any one segment that no page of ours has, since Swrve's web SDK takes an
    address without a domain only so. `pages` are the first segments of our own pages."""

    def __init__(self, doors: Doors, intake: sdk.Intake, reserved: tuple[str, ...], pages: frozenset[str]) -> None:
        self._doors = doors
        self._intake = intake
        self._reserved = reserved
        self._pages = pages

    def route(self, path: str) -> str:
        """What of Swrve's API is called, such as `1/batch`; empty if nothing is."""
        found = _PATH.fullmatch(path)
        return "" if found is None or found["prefix"] in self._pages else found["route"]

    async def hear(self, route: str, scope: Scope, receive: Hears, send: Send) -> int:
        """Answer one request; returns the status. Raises `Refused`, whose status is 500 for what is temporary."""
        try:
            return await self._hear(route, scope, receive, send)
        except Refused as refused:
            raise Refused(
                500 if refused.status in _TEMPORARY else refused.status, str(refused), *refused.headers
            ) from None

    async def _hear(self, route: str, scope: Scope, receive: Hears, send: Send) -> int:
        methods = (
            ("GET", "HEAD")
            if route.startswith("api/")
            else ("POST",)
            if route in ("identify", "1/batch")
            else ("GET", "POST")
        )
        if scope["method"] not in methods:
            raise Refused(
                405, f"Send this with {' or '.join(methods)}.", (b"allow", ", ".join((*methods, "OPTIONS")).encode())
            )
        if route.startswith("api/"):
            return await self._content(route, scope, send)
        body = await read_body(scope, receive, MOST_BYTES)
        if route == "1/batch":
            return await self._batch(body, send)
        if route == "identify":
            return await self._identify(body, send)
        return await self._single(route.removeprefix("1/"), scope, body, send)

    async def _batch(self, body: bytes, send: Send) -> int:
        content = _map(body)
        user, token = content.get("user"), content.get("session_token")
        key = swrve.verified(token, user, self._doors.app_keys)
        if key == swrve.SEALED:
            raise Refused(
                500, "This app's key cannot be read with the secret key that oncue has now; its log says more."
            )
        if key is None:
            raise Refused(
                403,
                "Invalid session token: it is not of this user, or was made with a key that is not one of this app's here.",
            )
        _check(sdk.unfit_user(str(user)))
        entries = swrve.batch(content, clock.now(), self._reserved)
        if isinstance(entries, str):
            raise Refused(400, entries)
        await self._intake.take(key, await sdk.in_turns(entries))
        await answer(send, 200, b"")
        return 200

    async def _single(self, kind: str, scope: Scope, body: bytes, send: Send) -> int:
        query = scope.get("query_string", b"").decode("latin-1")
        given: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
        form = body.decode(errors="replace")
        if b"json" in header(scope, b"content-type"):
            given |= _map(body) if body.strip() else {}
        else:
            given |= dict(parse_qsl(form, keep_blank_values=True))
        key = self._key(given.get("api_key"))
        user = sdk.user_id(given.get("user"))
        _check(sdk.unfit_user(user))
        item = swrve.single(kind, given, f"{query}&{form}")
        if isinstance(item, str):
            raise Refused(400, item)
        device = sdk.user_id(given.get("unique_device_id"))
        taken = await self._intake.take(
            key, [swrve.entry(item, user, device, clock.now(), self._reserved, is_single=True)]
        )
        taken.check()
        await answer(send, 200, b"")
        return 200

    async def _identify(self, body: bytes, send: Send) -> int:
        content = _map(body)
        key = self._key(content.get("api_key"))
        device, user = sdk.user_id(content.get("swrve_id")), sdk.user_id(content.get("external_user_id"))
        _check(unfit_text(device, "swrve_id") or unfit_text(user, "external_user_id"))
        self._intake.charge(key, 1)
        found = await commit(self._doors.identify(key, device, user))
        await answer_json(send, 200, {"status": found.standing, "swrve_id": found.device})
        return 200

    async def _content(self, route: str, scope: Scope, send: Send) -> int:
        given = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        self._key(given.get("api_key"))
        await answer_json(send, 200, [] if route.endswith("_diff") else _FLUSH)
        return 200

    def _key(self, token: Any) -> Key:
        key = self._intake.key(token, Source.SWRVE) if isinstance(token, str) else None
        if key is None:
            raise Refused(403, "Invalid API Key")  # Swrve's own words
        return key


def _map(body: bytes) -> dict[str, Any]:
    content = sdk.decoded(body)
    if not isinstance(content, dict):
        raise Refused(400, "The body must be a JSON object.")
    return content


def _check(said: str) -> None:
    if said:
        raise Refused(400, said)
