"""The management API, `/api/v1`: everything that a member does in the pages, as JSON, with an API key.

A module a resource; `operations` says once how an operation is declared. All of it, and the libraries under it, is loaded by the first
request that comes here, so that no page and no command line pays for it.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import register_converter

from oncue.web.access import ANYBODY, route

PREFIX = "/api/v1"


def operate(request: HttpRequest, rest: str) -> HttpResponseBase:
    """Any operation. Who may is decided by the key it comes with, not by a cookie: a page elsewhere cannot send one, so there is no token."""
    from oncue.web.api import door

    return door.answer(request)


def show_document(request: HttpRequest) -> HttpResponseBase:
    """The OpenAPI document: what there is, nothing of what is kept."""
    from oncue.web.api import openapi

    return openapi.answer(request)


def show_reference(request: HttpRequest, group: str = "") -> HttpResponseBase:
    """The document, as pages."""
    from oncue.web.api import reference

    return reference.show(request, group)


class _Rest:
    """All of a path: Django's own converter stops at a newline, and what is refused here should be refused in JSON."""

    regex = r"[\s\S]*"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(_Rest, "rest")

_operation = route("api/v1/<rest:rest>", operate, "api-operation", see=ANYBODY, change=ANYBODY)
_operation.callback.csrf_exempt = _operation.callback.is_for_programs = True  # type: ignore[attr-defined]

ROUTES = [
    route("api/v1/openapi.json", show_document, "api-document", see=ANYBODY),
    route("api/v1/docs", show_reference, "api-docs", see="viewer"),
    route("api/v1/docs/<slug:group>", show_reference, "api-docs-group", see="viewer"),
    _operation,
]
