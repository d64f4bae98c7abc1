"""Speaks with the simulated carrier, a process of its own on this machine, by its dial under `/_sim/`. Nobody else is ever called."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import msgspec

WITHIN = 3.0
"""Seconds for an answer."""


class Silent(Exception):
    """There is no simulator there, or it does not answer; the text says so."""


class Declined(Exception):
    """It cannot do that; the text is what it said."""


def ask(address: str, method: str, path: str, content: Any = None) -> Any:
    """One request to the carrier at this address. Raises `Silent`, `Declined`."""
    parts = urlsplit(address)
    try:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=WITHIN)
        try:
            body = msgspec.json.encode(content) if content is not None else None
            connection.request(method, f"{parts.path.rstrip('/')}/_sim/{path}", body)
            answer = connection.getresponse()
            said = msgspec.json.decode(answer.read())
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise Silent(f"The simulated carrier on {address} does not answer ({error or type(error).__name__}).") from None
    if answer.status == 200:
        return said
    sentence = str(said.get("message") if isinstance(said, dict) else said)
    if answer.status == 400:
        raise Declined(sentence)
    raise Silent(f"What answers on {address} is no simulated carrier (status {answer.status}).")
