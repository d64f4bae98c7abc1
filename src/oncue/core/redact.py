"""Redaction: what a stored exchange, a log line or an error page may not show."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

HIDDEN = "[redacted]"
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "webhook-signature"}
)


def is_credential(header: str) -> bool:
    """Whether a header of that name carries credentials."""
    return header.lower() in _SECRET_HEADERS


class Redactor:
    """Replaces known secrets wherever they stand in a text: plain, URL-encoded, in JSON, or inside anything in base64. Of a secret that
    is an address (`smtp://user:password@host`) the password is one too."""

    def __init__(self, secrets: Iterable[str]) -> None:
        whole = [one for secret in secrets for one in (secret, *_password(secret))]
        found = {form for secret in whole if len(secret) >= _SHORTEST for form in _forms(secret)}
        self._secrets = sorted(found, key=len, reverse=True)

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
