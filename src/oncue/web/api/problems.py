"""Problems: every answer that is not what was asked for is an RFC 9457 `application/problem+json`, with a sentence that says what to do."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel, Field

from oncue.core import fields
from oncue.core.items import Overloaded, StoreUnavailable
from oncue.store import refusal

log = logging.getLogger("oncue.web.api")

CONTENT_TYPE = "application/problem+json"

BROKEN = "oncue failed to do this because of a fault of its own, which is in its log."
UNAVAILABLE = "oncue cannot write to its store at the moment; nothing was changed. Try again shortly."
TOO_LONG = "oncue waited for this as long as it could. It may yet be done: look whether it was before you repeat it."


class FieldFault(BaseModel):
    """What is wrong with one field."""

    field: str = Field(
        description="Where it is: a field, a parameter, or a path such as `actions[0].body`. Empty for the whole.",
        examples=["actions[0].body"],
    )
    detail: str = Field(description="What is wrong and what to do, as a sentence.", examples=["Body is required."])


class Problem(BaseModel):
    """Why the request was not carried out (RFC 9457)."""

    type: str = Field(
        description="Always `about:blank`: the status says what kind of problem it is.", examples=["about:blank"]
    )
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The status of the answer.", examples=[404])
    detail: str = Field(
        description="What is wrong and what to do, as a sentence.", examples=["There is no rule with the key welcome."]
    )
    errors: list[FieldFault] = Field(description="What is wrong field by field, if it is.", examples=[[]])


class Refused(Exception):
    """A request that is answered with a problem."""

    def __init__(
        self, status: int, detail: str, errors: Iterable[tuple[str, str]] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = list(errors)
        self.headers = headers or {}


def missing(what: str, one: str) -> Refused:
    """404."""
    return Refused(404, f"There is no {what} {one[:200]}.")


def wrong(errors: Iterable[tuple[str, str]]) -> Refused:
    """422, field by field."""
    found = list(errors)
    first = found[0][1] if found else "Something in it is wrong."
    more = f" And {len(found) - 1} more." if len(found) > 1 else ""
    return Refused(422, f"{first}{more}", found)


def faulty(faults: Iterable[fields.Fault], prefix: str = "") -> Refused:
    """422, from the faults that forms and files show too."""
    return wrong((f"{prefix}{fault.field}", fault.sentence) for fault in faults)


def answer(refused: Refused) -> HttpResponse:
    """The problem as a response."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": str(refused),
        "errors": [{"field": field, "detail": detail} for field, detail in refused.errors],
    }
    response = HttpResponse(
        msgspec.json.encode(content), status=refused.status, content_type=CONTENT_TYPE, headers=dict(refused.headers)
    )
    response._has_been_logged = True  # type: ignore[attr-defined] # Django would log a line for each; ours are counted and read by the client
    return response


def handle(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The answer for whatever was raised."""
    assert isinstance(error, Exception)
    return answer(_refused(request, error))


def _refused(request: HttpRequest, error: Exception) -> Refused:
    match error:
        case Refused():
            return error
        case ValidationError():
            return wrong(_sentence(one) for one in error.errors)
        case refusal.Refused():
            return Refused(409, str(error))
        case Overloaded():
            return Refused(503, str(error), headers={"Retry-After": f"{max(1, round(error.after))}"})
        case StoreUnavailable():
            log.error("the store did not take a change: %s", error)
            return Refused(503, UNAVAILABLE, headers={"Retry-After": "5"})
        case TimeoutError():
            log.error("%s %s took too long", request.method, request.path)
            return Refused(503, TOO_LONG, headers={"Retry-After": "5"})
        case RequestDataTooBig():
            return Refused(413, "The body is too large.")
        case SuspiciousOperation():
            return Refused(400, f"The request cannot be read: {error}")
        case HttpError() if isinstance(error.__cause__, Refused):
            return error.__cause__  # raised while the body was read; ninja wraps it
        case HttpError():
            return Refused(error.status_code, f"{error.message}.")
    log.error("%s %s failed because of a fault in oncue", request.method, request.path, exc_info=error)
    return Refused(500, BROKEN)


def _sentence(error: Mapping[str, Any]) -> tuple[str, str]:
    """(path, sentence) of one of pydantic's errors."""
    source, *place = error["loc"]
    if source == "body" and place:
        place = place[1:]  # the name of our argument
    path = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place).lstrip(".")
    name = path or "The body"
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            said = f"{name} is required."
        case "extra_forbidden":
            said = f"There is no field {path!r} here."
        case "string_type":
            said = f"{name} must be a text."
        case "int_type" | "int_parsing" | "int_from_float":
            said = f"{name} must be a whole number."
        case "float_type" | "float_parsing":
            said = f"{name} must be a number."
        case "bool_type" | "bool_parsing":
            said = f"{name} must be true or false."
        case "dict_type" | "model_type" | "model_attributes_type":
            said = f"{name} must be an object."
        case "list_type":
            said = f"{name} must be a list."
        case "literal_error":
            said = f"{name} must be {context.get('expected', 'one of those documented')}."
        case "value_error":
            said = f"{name} {context.get('error', 'is not one that can be used')}"
        case _:
            said = f"{name}: {error['msg']}."
    return path, said
