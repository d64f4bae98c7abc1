"""Bodies and parameters as they come in: JSON only, and nothing in it that not every store could keep (NUL, integers past 64 bits, deep nesting)."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from oncue.web.api.problems import Refused, wrong

MOST_BYTES = 1_000_000
MOST_DEPTH = 32


def check(request: HttpRequest) -> None:
    """Whether it may be read at all. Raises `Refused`."""
    for name, value in request.GET.items():
        if "\0" in name or "\0" in value:
            raise wrong([(name.replace("\0", ""), "A parameter cannot hold a NUL character; take it out.")])
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    length = request.headers.get("Content-Length", "")
    if (length.isdigit() and int(length) > MOST_BYTES) or len(request.body) > MOST_BYTES:
        raise Refused(413, f"The body is larger than {MOST_BYTES:,} bytes.")
    if request.body and request.content_type != "application/json":
        raise Refused(415, f"The body must be application/json, not {request.content_type or 'without a type'}.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "The body must not be compressed; send it without Content-Encoding.")


class Json(Parser):
    """Reads the body of a request."""

    def parse_body(self, request: HttpRequest) -> Any:
        """What it holds. Raises `Refused`."""
        try:
            content = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(400, f"The body is not JSON: {error}.") from None
        if said := _unfit(content, 1):
            raise wrong([("", said)])
        return content


class Answers(BaseRenderer):
    """Writes what is answered."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """As JSON."""
        return msgspec.json.encode(data)


def _unfit(value: Any, depth: int) -> str:
    """What cannot be kept, as a sentence; empty if all can."""
    if depth > MOST_DEPTH:
        return f"The body nests deeper than {MOST_DEPTH}."
    match value:
        case str():
            return "The body holds a NUL character, which cannot be kept; take it out." if "\0" in value else ""
        case bool():
            return ""
        case int():
            fits = -(2**63) <= value < 2**63
            return "" if fits else "The body holds an integer past 64 bits; send it as text."
        case dict():
            return next((said for pair in value.items() for one in pair if (said := _unfit(one, depth + 1))), "")
        case list():
            return next((said for one in value if (said := _unfit(one, depth + 1))), "")
    return ""
