"""Logs: one line a record, as JSON or for a console. Never a secret, never a message's body."""

from __future__ import annotations

import logging
import sys
from typing import Any

import msgspec

from oncue.core import clock


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": clock.iso(int(record.created * clock.SECOND)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class _Console(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = clock.iso(int(record.created * clock.SECOND))[11:19]
        text = f"{at} {record.levelname.lower():8} {record.name}: {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def set_up(kind: str) -> None:
    """Log to standard error, as `json` or `console`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if kind == "json" else _Console())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Asked for all it has to say, Django writes down whatever a page is made of, links and keys that are shown once among it.
    for noisy in ("uvicorn.access", "uvicorn.error", "asyncio", "django.template"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for stranger in (
        "django.request",
        "django.security.csrf",
    ):  # not each address that is tried in vain; forms we log ourselves
        logging.getLogger(stranger).setLevel(logging.ERROR)
