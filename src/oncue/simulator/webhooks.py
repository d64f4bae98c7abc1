"""What the carrier calls: status callbacks and incoming messages, signed, with Twilio's idea of when to try again.

Without a fragment: one retry, only when the connection fails. `#rc=5&rp=all`: five, on any failure. `ct`, `rt` and `tt` limit connecting,
reading and the whole, in milliseconds. All of it within 15 seconds. twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import re
import secrets
from urllib.parse import parse_qs, urlencode

import aiohttp
from yarl import URL

log = logging.getLogger("oncue.simulator")

_LIMITS = {"ct": (100, 10_000, 5_000), "rt": (100, 15_000, 15_000), "tt": (100, 15_000, 15_000), "rc": (0, 5, 1)}
"""Least, most, default."""


class Caller:
    """Makes signed calls."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def call(self, url: str, parameters: dict[str, str], method: str = "POST") -> tuple[int, bytes] | None:
        """The last answer (status, body), or None if there was none."""
        target, _, fragment = url.partition("#")
        wishes = parse_qs(fragment)
        policy = {one for part in wishes.get("rp", ["ct"]) for one in part.split(",")}
        if method == "GET":
            target += ("&" if "?" in target else "?") + urlencode(parameters)
            parameters = {}
        headers = {
            "X-Twilio-Signature": sign(self._token, target, parameters),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),  # the same on every retry
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "TwilioProxy/1.1",
        }
        body = urlencode(parameters).encode()
        limits = aiohttp.ClientTimeout(sock_connect=_wish(wishes, "ct") / 1_000, sock_read=_wish(wishes, "rt") / 1_000)
        answer = None
        try:
            async with asyncio.timeout(_wish(wishes, "tt") / 1_000):
                for _ in range(_wish(wishes, "rc") + 1):
                    answer, failure = await self._once(method, target, headers, body, limits)
                    if not failure or not (policy & {failure, "all"}):
                        break
        except TimeoutError:
            log.info("%s did not answer in time", target)
        return answer

    async def _once(
        self, method: str, url: str, headers: dict[str, str], body: bytes, limits: aiohttp.ClientTimeout
    ) -> tuple[tuple[int, bytes] | None, str]:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=256)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        try:
            raw = URL(url, encoded=True)  # byte for byte as it was given, since it is signed so
            async with self._session.request(
                method, raw, data=body or None, headers=headers, allow_redirects=False, timeout=limits
            ) as answer:
                content = await answer.read()
                kind = "4xx" if 400 <= answer.status < 500 else "5xx" if answer.status >= 500 else ""
                return (answer.status, content), kind
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return None, "ct"
        except (aiohttp.ClientError, OSError, ValueError):
            return None, "rt"

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()


def _wish(wishes: dict[str, list[str]], name: str) -> int:
    least, most, default = _LIMITS[name]
    given = wishes.get(name, [""])[0]
    return min(most, max(least, int(given))) if re.fullmatch("[0-9]{1,6}", given) else default


def sign(token: str, url: str, parameters: dict[str, str]) -> str:
    """X-Twilio-Signature: twilio.com/docs/usage/security. The port stays, a user and password in the URL do not count."""
    text = re.sub("^([a-z]+://)[^/?#]*@", r"\1", url) + "".join(name + parameters[name] for name in sorted(parameters))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
