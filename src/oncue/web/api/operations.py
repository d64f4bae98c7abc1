"""How an operation is declared: its method and path, the scope it takes, what it answers. Its name in the OpenAPI document is the function's,
its summary and description are the docstring's; what every operation may answer is documented here, once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ninja import Router
from ninja.constants import NOT_SET

from oncue.web.api.auth import Gate

F = TypeVar("F", bound=Callable[..., Any])

COMMON = {
    400: "The body is not JSON.",
    401: "There is no key, or it is not one in use.",
    403: "The key does not have the scope that this takes.",
    404: "There is no such thing.",
    409: "It is not in a state in which this can be done.",
    413: "The body is larger than a megabyte.",
    415: "The body is not `application/json`.",
    422: "Something in it is wrong; `errors` says what, field by field.",
    500: "A fault in oncue, which is in its log.",
    503: "The store cannot be written to at the moment; nothing was changed.",
}

ALWAYS = (401, 403, 422, 500, 503)
WITH_BODY = (400, 413, 415)


class Resource:
    """The operations about one thing, which share a tag."""

    def __init__(self, tag: str, about: str) -> None:
        self.tag = tag
        self.about = about
        self.router = Router(tags=[tag])
        self.functions: dict[str, Callable[..., Any]] = {}
        """By their name in the document."""

    def operation(
        self,
        call: str,
        *,
        scope: str,
        answer: Any,
        status: int = 200,
        refuses: Mapping[int, str] | None = None,
        example: Any = None,
        produces: str = "",
    ) -> Callable[[F], F]:
        """Declare one: `call` is `GET /rules/{key}`. `refuses` adds answers, or says of common ones what they mean here; `example` is a body;
        `produces` another type than JSON, which the function answers itself."""
        method, path = call.split(" ")

        def declare(function: F) -> F:
            summary, _, more = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
            extra: dict[str, Any] = {
                "security": [{"key": [scope]}],
                "responses": _faults(method, path, refuses or {}),
            }
            if produces:
                extra["responses"][status] = {
                    "description": "As asked for.",
                    "content": {produces: {"schema": {"type": "string"}}},
                }
            if example is not None:
                extra["requestBody"] = {"content": {"application/json": {"example": example}}}
            gate = Gate(scope)
            self.router.api_operation(
                [method],
                path,
                auth=gate,
                operation_id=function.__name__,
                summary=" ".join(summary.split()),
                description=more or None,
                openapi_extra=extra,
                response=NOT_SET if produces else {status: answer},
            )(function)
            gate.parameters = _query(function)
            self.functions[function.__name__] = function
            return function

        return declare


def _query(function: Any) -> frozenset[str]:
    """What the function takes from the query, as ninja understood it."""
    models = function._ninja_operation.models
    return frozenset(
        name for one in models if one.__ninja_param_source__ == "query" for name in one.__ninja_flatten_map__
    )


def _faults(method: str, path: str, refuses: Mapping[int, str]) -> dict[int, Any]:
    common = {*ALWAYS, *(WITH_BODY if method in ("POST", "PUT", "PATCH") else ()), *((404,) if "{" in path else ())}
    found: dict[int, Any] = {one: {"$ref": f"#/components/responses/{one}"} for one in common - refuses.keys()}
    return found | {one: fault(said) for one, said in refuses.items()}


def fault(said: str) -> dict[str, Any]:
    """An answer that is a problem, as the document describes it."""
    return {
        "description": said,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
