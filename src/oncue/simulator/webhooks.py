"""What the carrier calls: status callbacks and incoming messages, signed, with Twilio's idea of when to try again.

Without a fragment: one retry, only when the connection fails. `#rc=5&rp=all`: five, on any failure. All of it within 15 seconds.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
from urllib.parse import parse_qs, urldefrag, urlencode

import aiohttp

log = logging.getLogger("oncue.simulator")

_TOTAL_FOR = 15.0


class Caller:
    """Makes signed calls."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def call(self, url: str, parameters: dict[str, str]) -> tuple[int, bytes] | None:
        """The last answer (status, body), or None if there was none."""
        target, fragment = urldefrag(url)
        wishes = parse_qs(fragment)
        retries = min(5, int(wishes.get("rc", ["1"])[0]))
        policy = {one for part in wishes.get("rp", ["ct"]) for one in part.split(",")}
        headers = {
            "X-Twilio-Signature": sign(self._token, target, parameters),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),  # the same on every retry
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "TwilioProxy/1.1",
        }
        body = urlencode(parameters).encode()
        answer = None
        try:
            async with asyncio.timeout(_TOTAL_FOR):
                for _ in range(retries + 1):
                    answer, failure = await self._once(target, headers, body)
                    if not failure or not (policy & {failure, "all"}):
                        break
        except TimeoutError:
            log.info("%s did not answer in time", target)
        return answer

    async def _once(self, url: str, headers: dict[str, str], body: bytes) -> tuple[tuple[int, bytes] | None, str]:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=256)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                content = await answer.read()
                kind = "4xx" if 400 <= answer.status < 500 else "5xx" if answer.status >= 500 else ""
                return (answer.status, content), kind
        except aiohttp.ClientConnectorError:
            return None, "ct"
        except (aiohttp.ClientError, OSError):
            return None, "rt"

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()


def sign(token: str, url: str, parameters: dict[str, str]) -> str:
    """X-Twilio-Signature: twilio.com/docs/usage/security."""
    text = url + "".join(name + parameters[name] for name in sorted(parameters))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
