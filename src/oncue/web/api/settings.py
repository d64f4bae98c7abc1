"""Settings: quiet hours and caps, how long things are kept, who is told of alerts."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import alerting, retention
from oncue.store import policy as stored
from oncue.web.api.auth import ADMIN, READ, who
from oncue.web.api.operations import Resource
from oncue.web.api.problems import faulty
from oncue.web.api.shapes import Given
from oncue.web.backstage import behind

SETTINGS = Resource(
    "Settings",
    "The hours in which people are left alone and how many messages they get; how long things are kept; who is told of alerts.",
)

_HELP = {field.name: field.help for field in stored.FIELDS}
_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"

Time = Annotated[str, Field(pattern=_TIME)]
Categories = list[Literal["transactional", "promotional"]]


class Policy(BaseModel):
    """The quiet hours and the cap in force."""

    quiet_from: Time = Field(description=_HELP["quiet_from"], examples=["21:00"])
    quiet_to: Time = Field(description=_HELP["quiet_to"], examples=["08:00"])
    quiet_categories: Categories = Field(description=_HELP["quiet_categories"], examples=[["promotional"]])
    default_zone: str = Field(description=_HELP["default_zone"], examples=["Europe/Dublin"])
    cap_messages: int = Field(description=_HELP["cap_messages"], examples=[3])
    cap_days: int = Field(description=_HELP["cap_days"], examples=[7])
    cap_categories: Categories = Field(description=_HELP["cap_categories"], examples=[["promotional"]])


class NewPolicy(Given):
    """The quiet hours and the cap to have; what is left out is as oncue has it from the start."""

    quiet_from: Time = Field(default="21:00", description=_HELP["quiet_from"], examples=["21:00"])
    quiet_to: Time = Field(default="08:00", description=_HELP["quiet_to"], examples=["08:00"])
    quiet_categories: Categories = Field(
        default=["promotional"], description=_HELP["quiet_categories"], examples=[["promotional"]]
    )
    default_zone: str = Field(
        default="UTC", min_length=1, max_length=60, description=_HELP["default_zone"], examples=["Europe/Dublin"]
    )
    cap_messages: int = Field(default=0, ge=0, le=1_000, description=_HELP["cap_messages"], examples=[3])
    cap_days: int = Field(default=7, ge=1, le=30, description=_HELP["cap_days"], examples=[7])
    cap_categories: Categories = Field(
        default=["promotional"], description=_HELP["cap_categories"], examples=[["promotional"]]
    )


@SETTINGS.operation("GET /policy", scope=READ, answer=Policy)
def get_policy(request: HttpRequest) -> object:
    """Get the quiet hours and the cap"""
    return msgspec.to_builtins(stored.read_policy())


@SETTINGS.operation(
    "PUT /policy",
    scope=ADMIN,
    answer=Policy,
    example={"quiet_from": "21:00", "quiet_to": "08:00", "cap_messages": 3, "cap_days": 7},
)
def put_policy(request: HttpRequest, body: NewPolicy) -> object:
    """Set the quiet hours and the cap

    It holds from the next event on."""
    policy, faults = stored.read_values(body.model_dump())
    if faults:
        raise faulty(faults)
    behind().change(lambda: stored.save_policy(policy, who(request)))
    return msgspec.to_builtins(policy)


Days = Annotated[
    int,
    Field(ge=0, le=retention.LONGEST, description=f"Days, from {retention.SHORTEST}; 0 is for good.", examples=[365]),
]
BodyDays = Annotated[
    int,
    Field(
        ge=0,
        le=retention.LONGEST,
        description="Days after which what messages and replies say is redacted, here and at the provider; 0 is never.",
        examples=[30],
    ),
]


class Retention(BaseModel):
    """How long what comes and goes is kept."""

    messages: Days
    exchanges: Days
    events: Days
    bodies: BodyDays


class NewRetention(Given):
    """How long to keep what comes and goes; what is left out is kept for good."""

    messages: Days = 0
    exchanges: Days = 0
    events: Days = 0
    bodies: BodyDays = 0


@SETTINGS.operation("GET /retention", scope=ADMIN, answer=Retention)
def get_retention(request: HttpRequest) -> object:
    """Get how long things are kept

    Messages with their attempts and replies; of attempts what was said to the provider; events with the decisions about them; and what messages
    and replies say, of which the rest stays."""
    return msgspec.to_builtins(retention.read_retention())


@SETTINGS.operation(
    "PUT /retention",
    scope=ADMIN,
    answer=Retention,
    example={"messages": 365, "exchanges": 90, "events": 365, "bodies": 30},
)
def put_retention(request: HttpRequest, body: NewRetention) -> object:
    """Set how long things are kept

    What is older is forgotten from then on, within minutes, and does not come back."""
    found, faults = retention.read_values({name: str(days) for name, days in body.model_dump().items()})
    if faults:
        raise faulty(faults)
    behind().change(lambda: retention.save_retention(found, who(request)))
    return msgspec.to_builtins(found)


class Alerting(BaseModel):
    """Who is told of alerts."""

    emails: list[str] = Field(
        description="By e-mail; if there is none, every owner is.", examples=[["ops@example.com"]]
    )
    webhook_url: str = Field(description="By a request to this address; empty for none.", examples=[""])
    told: list[str] = Field(
        description="The e-mail addresses that are told as it stands.", examples=[["owner@example.com"]]
    )
    problem: str = Field(
        description="Why somebody could not be told, the last time; empty if everybody was.", examples=[""]
    )


class NewAlerting(Given):
    """Who to tell of alerts."""

    emails: list[Annotated[str, Field(max_length=254)]] = Field(
        default=[],
        max_length=alerting.MOST,
        description="By e-mail; if there is none, every owner is.",
        examples=[["ops@example.com"]],
    )
    webhook_url: str = Field(
        default="", max_length=2_000, description="By a request to this address; empty for none.", examples=[""]
    )


@SETTINGS.operation("GET /alerting", scope=ADMIN, answer=Alerting)
def get_alerting(request: HttpRequest) -> object:
    """Get who is told of alerts"""
    return _told(alerting.read_alerting())


@SETTINGS.operation(
    "PUT /alerting", scope=ADMIN, answer=Alerting, example={"emails": ["ops@example.com"], "webhook_url": ""}
)
def put_alerting(request: HttpRequest, body: NewAlerting) -> object:
    """Set who is told of alerts"""
    found, faults = alerting.read_values("\n".join(body.emails), body.webhook_url)
    if faults:
        raise faulty(faults)
    behind().change(lambda: alerting.save_alerting(found, who(request)))
    return _told(found)


def _told(found: alerting.Alerting) -> dict[str, object]:
    return {**msgspec.to_builtins(found), "told": alerting.addresses(found), "problem": alerting.problem()}
