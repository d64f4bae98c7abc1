"""The overview: is it healthy?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.core import clock
from oncue.store import held, overview
from oncue.web.api.auth import READ
from oncue.web.api.operations import Resource
from oncue.web.api.shapes import At
from oncue.web.backstage import behind

OVERVIEW = Resource(
    "Overview", "Is it healthy? Sums of hourly counters, as fast with ten million messages as with ten."
)

WORDS = ", ".join(f"`{word}`" for word in overview.TOTALS)

Counts = Annotated[dict[str, int], Field(examples=[{"submitted": 412, "delivered": 401, "undelivered": 3}])]


class Hour(BaseModel):
    """An hour."""

    at: At = Field(description="When it began.")
    counts: Counts = Field(description="What happened in it.")


class Share(BaseModel):
    """The part of one rule, sender or country."""

    name: str = Field(description="Which.", examples=["booking-confirmation"])
    counts: Counts = Field(description="What its messages came to.")


class ErrorCount(BaseModel):
    """How often an error came."""

    adaptor: str = Field(description="Through which adaptor.", examples=["email"])
    code: str = Field(description="Its code.", examples=["550"])
    count: int = Field(description="How often.", examples=[3])
    meaning: str = Field(
        description="What it means and what to do about it; empty if the adaptor does not know.",
        examples=["There is no such mailbox; mend the address."],
    )


class ReasonCount(BaseModel):
    """How often oncue did not send for a reason."""

    reason: str = Field(description="The reason, in a word.", examples=["opted_out"])
    count: int = Field(description="How often.", examples=[2])


class Latency(BaseModel):
    """Milliseconds from a message's making to its acceptance, to the next bound upwards. Null: more than the last bound."""

    count: int = Field(description="Of how many messages.", examples=[412])
    p50: int | None = Field(description="Half were as fast.", examples=[100])
    p99: int | None = Field(description="99 in 100 were as fast.", examples=[500])


class Held(BaseModel):
    """Messages that wait for one thing."""

    adaptor: str = Field(description="Whose.", examples=["email"])
    why: str = Field(description="`inactive`, `paused`, `quiet_hours`, `retry` or `pacing`.", examples=["paused"])
    what: str = Field(description="Of a pause: what is paused.", examples=["account"])
    sentence: str = Field(
        description="The provider's words, or the adaptor's problem.", examples=["The password is wrong."]
    )
    count: int = Field(description="How many.", examples=[12])
    next_at: At = Field(description="When the first of them may go.")


class Overview(BaseModel):
    """What happened in a span of hours, and what is held now."""

    since: At = Field(description="The beginning of the first hour.")
    until: At = Field(description="The end of the last hour, the present one.")
    totals: Counts = Field(description=f"Over the whole span: `events`, {WORDS}.")
    hours: list[Hour] = Field(description="Hour by hour, the earliest first.")
    rules: list[Share] = Field(description="By rule, the busiest twenty.")
    senders: list[Share] = Field(description="By sender, the busiest twenty.")
    countries: list[Share] = Field(description="By country, the busiest twenty.")
    errors: list[ErrorCount] = Field(description="The twenty most frequent.")
    reasons: list[ReasonCount] = Field(description="Why messages were suppressed.")
    latency: Latency
    held: list[Held] = Field(description="What waits now, and for what.")
    waiting: int = Field(description="How many messages wait now; counted up to ten thousand.", examples=[12])
    unknown: int = Field(description="Of how many nobody knows whether the provider took them.", examples=[0])


@OVERVIEW.operation("GET /overview", scope=READ, answer=Overview)
def get_overview(
    request: HttpRequest,
    hours: Annotated[
        int, Field(ge=1, le=24 * 31, description="How many hours back, the present one among them.", examples=[24])
    ] = 24,
) -> object:
    """Get the overview"""
    until = clock.now() // clock.HOUR + 1
    found, holding = overview.overview(until - hours, until), held.holding()
    return {
        "since": found.since_hour * clock.HOUR,
        "until": found.until_hour * clock.HOUR,
        "totals": found.totals,
        "hours": [{"at": row.pop("at"), "counts": row} for row in found.hours],
        "rules": _shares(found.rules),
        "senders": _shares(found.senders),
        "countries": _shares(found.countries),
        "errors": [{**row, "meaning": _meaning(row["adaptor"], row["code"])} for row in found.errors],
        "reasons": [{"reason": row["label"], "count": row["count"]} for row in found.reasons],
        "latency": msgspec.structs.asdict(found.latency),
        "held": [msgspec.structs.asdict(one) for one in holding.held],
        "waiting": holding.waiting,
        "unknown": holding.unknown,
    }


def _shares(rows: list[dict[str, int | str]]) -> list[dict[str, object]]:
    return [{"name": row.pop("label"), "counts": row} for row in rows]


def _meaning(adaptor: str, code: str) -> str:
    declared = behind().catalogue.get(adaptor)
    return declared.explain_error(code) if declared and declared.explain_error else ""
