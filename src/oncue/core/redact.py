"""Redaction: what a stored exchange, a log line or an error page may not show."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

HIDDEN = "[redacted]"
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "webhook-signature"}
)


_SECRET_NAME = re.compile(r"auth|token|secret|password|api-?key|signature|cookie", re.IGNORECASE)
"""Rules name headers as their receivers want them (`X-Auth-Token`), which no list foresees."""


@lru_cache(maxsize=1_000)
def is_credential(header: str) -> bool:
    """Whether a header of that name carries credentials."""
    return header.lower() in _SECRET_HEADERS or _SECRET_NAME.search(header) is not None


def credentials(headers: Mapping[str, str]) -> Iterator[str]:
    """What in headers is a secret: of `Bearer x` the token is one, too."""
    for name, value in headers.items():
        if is_credential(name):
            yield from {value, value.rpartition(" ")[2]}


def without_credentials(value: Any) -> Any:
    """Fields of actions, at any depth, as people are shown them: of headers that carry credentials (`X-Api-Key`), only the names."""
    if isinstance(value, list):
        return [without_credentials(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _hidden(one) if name == "headers" and isinstance(one, dict) else without_credentials(one)
        for name, one in value.items()
    }


def _hidden(headers: dict[str, Any]) -> dict[str, Any]:
    return {name: HIDDEN if is_credential(name) else value for name, value in headers.items()}


class Redactor:
    """Replaces known secrets wherever they stand in a text: plain, URL-encoded, in JSON, or inside anything in base64. Of a secret that
    is an address (`smtp://user:password@host`) the password is one too."""

    def __init__(self, secrets: Iterable[str], before: Redactor | None = None) -> None:
        whole = [one for secret in secrets for one in (secret, *_password(secret))]
        found = {form for secret in whole if len(secret) >= _SHORTEST for form in _forms(secret)}
        found.update(before._secrets if before else ())
        self._secrets: list[str] = sorted(found, key=len, reverse=True)

    def also(self, secrets: Iterable[str]) -> Redactor:
        """One that replaces these, too."""
        more = list(secrets)
        return Redactor(more, self) if more else self

    def text(self, text: str) -> str:
        """`text` without any of the secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text


_SHORTEST = 6
"""Shorter ones would blank half of any text."""


def _password(secret: str) -> Iterator[str]:
    if "://" in secret and "@" in secret:
        try:
            password = urlsplit(secret).password or ""
        except ValueError:
            return
        yield from (password, unquote(password))


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    content = secret.encode("utf-8", "replace")
    for before in range(3):  # base64 goes by three bytes: what stands before the secret shifts how it is written
        encoded = base64.b64encode(bytes(before) + content)
        own = encoded[(0, 2, 3)[before] : (before + len(content)) * 8 // 6].decode()
        yield from (own, own.replace("+", "-").replace("/", "_"), quote(own, safe=""))
