"""Events: listed and explained. They are sent to `POST /v1/events`, which takes more of them at a time and knows repeats."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import examples, reading, volumes
from oncue.web import event_names
from oncue.web.api import paging
from oncue.web.api.auth import READ
from oncue.web.api.explaining import explained
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit
from oncue.web.api.shapes import At, Since, Until, milliseconds
from oncue.web.api.traffic import Events, Explanation
from oncue.web.backstage import behind

EVENTS = Resource("Events", "What happened to users. Send them to `POST /v1/events` with a key of the scope `events`.")

EventId = Annotated[
    str, Field(max_length=32, description="The event's id.", examples=["019ac9a3c0de4f0c8f5b00000000001f"])
]


class Triggered(BaseModel):
    """A rule, on or in test, that an event of this name triggers."""

    key: str = Field(description="Its key.", examples=["booking-confirmation"])
    name: str = Field(description="What people call it.", examples=["Booking confirmation"])
    state: Literal["test", "on"] = Field(description="Its state.", examples=["on"])


class SeenName(BaseModel):
    """An event name that has been seen."""

    name: str = Field(description="The name.", examples=["booking_confirmed"])
    first_at: At = Field(description="When it was first seen.")
    day: int = Field(description="How many came in the last 24 hours.", examples=[58])
    week: int = Field(description="How many came in the last seven days.", examples=[412])
    rules: list[Triggered] = Field(description="The rules that it triggers.")


class SeenNames(BaseModel):
    """Event names, the most frequent first."""

    items: list[SeenName]


class SeenProperties(BaseModel):
    """What has been seen with an event name."""

    name: str = Field(description="The name.", examples=["booking_confirmed"])
    properties: dict[str, object] = Field(
        description="An example of each property, by what a condition or template writes after `event`.",
        examples=[{".booking_id": "17", ".amount": 120}],
    )
    rules: list[Triggered] = Field(description="The rules that it triggers.")
    sentence: str = Field(description="What it means, if it is one that an adaptor raises; else empty.", examples=[""])
    hours: list[int] = Field(
        description="How many came in each hour of the last seven days; the last is the hour that runs.",
        examples=[[3, 0, 12]],
    )


@EVENTS.operation("GET /events", scope=READ, answer=Events)
def list_events(
    request: HttpRequest,
    user: Annotated[str, Field(max_length=200, description="Only of this user.", examples=["u1"])] = "",
    name: Annotated[str, Field(max_length=200, description="Only of this name.", examples=["booking_confirmed"])] = "",
    source: Annotated[str, Field(max_length=100, description="Only from there.", examples=["shop-server"])] = "",
    since: Since = None,
    until: Until = None,
    before: Before = None,
    limit: Limit = 50,
) -> object:
    """List events"""
    page = reading.events(
        limit=limit, before=before, user=user, name=name, source=source,
        since=milliseconds("since", since), until=milliseconds("until", until),
    )  # fmt: skip
    return paging.page(request, page.rows, page.next_before)


@EVENTS.operation("GET /events/{event_id}", scope=READ, answer=Explanation)
def get_event(request: HttpRequest, event_id: EventId) -> object:
    """Explain an event

    What each rule decided about it, and the messages that followed, with every attempt and report."""
    return explained("event", event_id, "event")


@EVENTS.operation("GET /event-names", scope=READ, answer=SeenNames)
def list_event_names(request: HttpRequest) -> object:
    """List the event names seen"""
    return {"items": [{**row, "rules": _rules(row["name"])} for row in volumes.by_name()]}


@EVENTS.operation("GET /event-names/{name}", scope=READ, answer=SeenProperties)
def get_event_name(
    request: HttpRequest,
    name: Annotated[str, Field(max_length=200, description="The name.", examples=["booking_confirmed"])],
) -> object:
    """Get what is known of an event name: the properties seen with it, the rules it triggers, how often it comes

    Of a name that was never seen there are none."""
    return {
        "name": name,
        "properties": examples.event_properties([name]),
        "rules": _rules(name),
        "sentence": event_names.meaning_of(behind().snapshot, name),
        "hours": volumes.hourly(name, volumes.WEEK),
    }


def _rules(name: str) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(one) for one in event_names.rules_triggered(behind().snapshot, name)]
