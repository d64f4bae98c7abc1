"""Speaking with Twilio's REST API: addresses, credentials, and answers that may be anything."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from oncue.adaptors.twilio.fields import API
from oncue.core.adaptor import Config
from oncue.core.http import Answer, Http, Response

VERSION = "/2010-04-01"


def host(config: Config, product: str = "api") -> str:
    """The address of one of Twilio's products. Everything is below `api_base_url` when that is not Twilio's own (a simulator)."""
    base = str(config.get("api_base_url") or API).rstrip("/")
    if base != API:
        return base
    place = ".".join(filter(None, (config.get("edge"), config.get("region"))))
    return f"https://{product}.{place}.twilio.com" if place else f"https://{product}.twilio.com"


def account_url(config: Config, path: str) -> str:
    """An address below the account."""
    return f"{host(config)}{VERSION}/Accounts/{config['account_sid']}{path}"


def credentials(config: Config) -> tuple[str, str]:
    """The API key if there is one, else the account's own token."""
    if config.get("api_key_sid"):
        return str(config["api_key_sid"]), str(config["api_key_secret"])
    return str(config["account_sid"]), str(config["auth_token"])


async def get(http: Http, config: Config, url: str, *, limit: int = 8_000_000, deadline: float = 15.0) -> Answer:
    """A read."""
    return await http.request("GET", url, auth=credentials(config), trusted=True, limit=limit, deadline=deadline)


def below(config: Config, uri: str) -> str | None:
    """The address of a relative URI from an answer; None if it would lead to another host, with our credentials."""
    base = host(config)
    if not uri.startswith("/") or uri.startswith("//"):
        return None
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}{uri}"


def content(answer: Response) -> dict[str, Any]:
    """The answer's JSON object; empty if it is anything else (an edge may answer with HTML)."""
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def code_of(found: dict[str, Any]) -> int:
    """The error code in an answer, 0 if there is none."""
    code = found.get("code", found.get("error_code"))
    return code if isinstance(code, int) and not isinstance(code, bool) else 0


def retry_after(answer: Response) -> float | None:
    """Not documented for this API; honoured if it is there."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), 600.0) if text.isdecimal() else None
