"""Redaction: what a stored exchange, a log line or an error page may not show."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[redacted]"
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "webhook-signature"}
)


def headers(given: dict[str, str]) -> dict[str, str]:
    """Headers with those that carry credentials blanked."""
    return {name: HIDDEN if name.lower() in _SECRET_HEADERS else value for name, value in given.items()}


class Redactor:
    """Replaces known secrets wherever they stand in a text, plain or URL-encoded."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {
            form
            for secret in secrets
            if len(secret) >= 6
            for form in (secret, quote(secret, safe=""), quote_plus(secret))
        }
        self._secrets = sorted(found, key=len, reverse=True)

    def text(self, text: str) -> str:
        """`text` without any of the secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text
