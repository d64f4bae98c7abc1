"""The way in: from a request to the operation it means. What is wrong before an operation is found, or beside it, is answered here, so that
no answer is anything but JSON.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, URLResolver
from django.urls.resolvers import RegexPattern

from oncue.web.api import PREFIX, bodies, problems
from oncue.web.api.problems import Refused
from oncue.web.api.program import PROGRAM

_RESOLVER = URLResolver(RegexPattern(r"^"), PROGRAM.urls[0])

_SLASH = "\0"
"""Stands for a slash inside an id (`%2F`) while the path is taken apart; NUL itself is in no id."""


def answer(request: HttpRequest) -> HttpResponseBase:
    """Carry it out, or say why not."""
    try:
        return _answer(request)
    except Exception as error:
        return problems.handle(request, error)


def _answer(request: HttpRequest) -> HttpResponseBase:
    is_head = request.method == "HEAD"
    if is_head:
        request.method = "GET"
    try:
        found = _RESOLVER.resolve(_path(request))
    except Resolver404:
        raise Refused(404, f"There is nothing at this address; {PREFIX}/openapi.json lists what there is.") from None
    bodies.check(request)
    ids = {
        name: value.replace(_SLASH, "/") if isinstance(value, str) else value for name, value in found.kwargs.items()
    }
    response: HttpResponseBase = found.func(request, **ids)
    if response.status_code == 405:
        allowed = ", ".join(sorted(response.headers["Allow"].split(", ")))
        raise Refused(405, f"{request.method} is not possible here; {allowed} is.", (), {"Allow": allowed})
    return response


def _path(request: HttpRequest) -> str:
    """The path after the prefix. An id may hold a slash, so it is taken apart before it is decoded."""
    raw = bytes(_scope(request)["raw_path"]).decode("latin-1")
    segments = [unquote(one) for one in raw.split("?")[0].split("/")]
    if any("\0" in one for one in segments):
        raise Refused(404, "There is nothing at this address; no id holds a NUL character.")
    path = "/".join(one.replace("/", _SLASH) for one in segments)
    return path.removeprefix(PREFIX).removeprefix("/") or _SLASH


def _scope(request: HttpRequest) -> dict[str, Any]:
    scope: dict[str, Any] = request.scope  # type: ignore[attr-defined]
    return scope
