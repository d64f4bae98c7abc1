"""The shape of a rule, as it comes in and as it goes out: the fields of the rules file, by the same names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from oncue.rules.compile import compile_rule
from oncue.rules.document import read_rule
from oncue.rules.spec import RuleSpec
from oncue.store.rulebook import Stored
from oncue.web.api.problems import FieldFault, faulty
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind

StateName = Literal["off", "test", "on"]

EXAMPLE: dict[str, Any] = {
    "key": "booking-confirmation",
    "name": "Booking confirmation",
    "state": "test",
    "category": "transactional",
    "triggers": ["booking_confirmed"],
    "conditions": ["event.amount >= 10", {"any": ['user.country == "IE"', 'user.country == "GB"']}],
    "actions": [
        {
            "action": "email.send",
            "to": "{{ user.email }}",
            "subject": "Booking {{ event.booking_id }}",
            "text": "Hi {{ user.first_name | default: 'there' }}, it is confirmed.",
        }
    ],
}

Key = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="Its identity, whatever its name.",
        examples=["booking-confirmation"],
    ),
]
State = Annotated[
    StateName,
    Field(description="`test` acts for test users only, those with the property `test_user: true`.", examples=["test"]),
]
Category = Literal["transactional", "promotional"]

_NAME = "What people call it."
_CATEGORY = "Of the messages that it makes; promotional ones go only to people who opted in."
_TRIGGERS = "Names of events, any of which begins it."
_CONDITIONS = (
    'Each a text such as `event.amount >= 10`, or `{"all": […]}`, `{"any": […]}`, `{"not": …}`. All must hold.'
)
_ACTIONS = "What it does, in order."
_WITHIN = "How long a message may wait before it is stale: `90s`, `30m`, `4h`, `2d`."
_IGNORE = "Whether it messages people in the quiet hours too; for transactional rules only."


class Action(BaseModel):
    """One action: its name, and its fields beside it, each a text with a template in it, or a list or map of such texts."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [EXAMPLE["actions"][0]], "additionalProperties": True}
    )

    action: str = Field(description="An adaptor and one of its actions.", examples=["email.send"])


class RuleBody(Given):
    """A rule to save. Null says nothing, like a field that is left out."""

    key: Key | None = Field(default=None, description="Its identity. Without one, it is made from the name.")
    name: str | None = Field(default=None, max_length=200, description=_NAME, examples=[EXAMPLE["name"]])
    state: State | None = Field(default=None, description="Without it, `off`.")
    category: Category | None = Field(default=None, description=f"{_CATEGORY} A rule that messages people needs one.")
    triggers: list[Annotated[str, Field(max_length=200)]] = Field(
        max_length=100, description=_TRIGGERS, examples=[EXAMPLE["triggers"]]
    )
    conditions: list[str | dict[str, Any]] | None = Field(
        default=None, max_length=100, description=_CONDITIONS, examples=[EXAMPLE["conditions"]]
    )
    actions: list[Action] = Field(max_length=20, description=_ACTIONS, examples=[EXAMPLE["actions"]])
    send_within: str | None = Field(
        default=None, max_length=20, description=f"{_WITHIN} Without it, `4h`.", examples=["4h"]
    )
    ignore_quiet_hours: bool | None = Field(default=None, description=_IGNORE, examples=[False])


class Spec(BaseModel):
    """What a rule says."""

    key: Key
    name: str = Field(description=_NAME, examples=[EXAMPLE["name"]])
    state: State
    category: Category = Field(description=_CATEGORY, examples=["transactional"])
    triggers: list[str] = Field(description=_TRIGGERS, examples=[EXAMPLE["triggers"]])
    conditions: list[Any] = Field(description=_CONDITIONS, examples=[EXAMPLE["conditions"]])
    actions: list[dict[str, Any]] = Field(description=_ACTIONS, examples=[EXAMPLE["actions"]])
    send_within: str = Field(description=_WITHIN, examples=["4h"])
    ignore_quiet_hours: bool = Field(description=_IGNORE, examples=[False])


class Rule(Spec):
    """A rule as it is saved."""

    revision: int = Field(description="Which version of it this is, from 1.", examples=[3])
    origin: Literal["file", "ui"] = Field(
        description="Who made it: applying a file archives only rules that a file made.", examples=["ui"]
    )
    updated_at: At = Field(description="When it was last changed.")
    archived_at: At | None = Field(description="When it was archived; null if it is not.", examples=[None])
    faults: list[FieldFault] = Field(
        description="Why it cannot be switched on, if a member kept a draft or an adaptor changed.", examples=[[]]
    )


def spec_of(body: RuleBody, key: str) -> RuleSpec:
    """The rule that a body says, without a fault. Raises `Refused`."""
    spec, faults = read_rule({**body.model_dump(exclude_none=True), "key": key}, behind().catalogue)
    if faults:
        raise faulty(faults)
    return spec


def shown(stored: Stored) -> dict[str, Any]:
    """The rule as it is answered."""
    compiled = compile_rule(stored.spec, behind().catalogue)
    faults = compiled if isinstance(compiled, list) else []
    return {
        **said(stored.spec),
        "revision": stored.revision,
        "origin": stored.origin,
        "updated_at": stored.updated_at,
        "archived_at": stored.archived_at,
        "faults": [{"field": fault.field, "detail": fault.sentence} for fault in faults],
    }


def said(spec: RuleSpec) -> dict[str, Any]:
    """What it says, as a file would."""
    plain: dict[str, Any] = msgspec.to_builtins(spec)
    return {**plain, "actions": [{"action": one["action"], **one["fields"]} for one in plain["actions"]]}
