"""The policy: quiet hours and caps."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import policy as stored
from oncue.web.api.auth import ADMIN, READ, who
from oncue.web.api.operations import Resource
from oncue.web.api.problems import faulty
from oncue.web.api.shapes import Given
from oncue.web.backstage import behind

POLICY = Resource("Policy", "The hours in which people are left alone, and how many messages they get at most.")

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


@POLICY.operation("GET /policy", scope=READ, answer=Policy)
def get_policy(request: HttpRequest) -> object:
    """Get the quiet hours and the cap"""
    return msgspec.to_builtins(stored.read_policy())


@POLICY.operation(
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
