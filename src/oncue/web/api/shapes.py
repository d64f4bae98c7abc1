"""Shapes that several resources share: times, ids, properties, and the ways in which what comes in is strict."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from oncue.core import clock
from oncue.web.api.problems import wrong


def _written(at: Any) -> Any:
    return clock.iso(at) if isinstance(at, int) else at


At = Annotated[
    str,
    BeforeValidator(_written),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T17:00:00.000Z"]),
]
"""A time: milliseconds in the store, ISO 8601 in UTC outside."""

Properties = Annotated[
    dict[str, Any], Field(description="Names and values, as they were sent.", examples=[{"first_name": "Ann"}])
]


class Given(BaseModel):
    """A body. What it does not know is refused, and nothing is turned into another type: a mistake is better said than guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True)


Since = Annotated[
    str | None,
    Field(
        description="Only from this time on (ISO 8601).",
        examples=["2026-11-23T00:00:00Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
Until = Annotated[
    str | None,
    Field(
        description="Only up to this time (ISO 8601).",
        examples=["2026-11-24T00:00:00Z"],
        json_schema_extra={"format": "date-time"},
    ),
]


def milliseconds(name: str, given: str | None) -> int | None:
    """What a parameter's time is in milliseconds; None if it is not given. Raises `Refused`."""
    if given is None:
        return None
    try:
        return max(0, clock.parse_iso(given.replace(" ", "+")))  # a + that was not percent-encoded arrives as a space
    except (ValueError, OverflowError):
        raise wrong([(name, f"{name} is not an ISO 8601 time such as 2026-11-23T17:00:00Z.")]) from None


FormId = Annotated[
    str,
    Field(
        pattern=r"^([0-9a-f]{32})?$",
        description="An id of your own, 32 hexadecimal digits: the same twice makes one message, so that a request may be repeated.",
        examples=["019ac9a3c0de4f0c8f5b00000000001f"],
    ),
]
