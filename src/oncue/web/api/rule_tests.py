"""Trying a rule: on one user and event, and on the events of the last days. Nothing is sent and nothing is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.core import clock, ids
from oncue.core.event import Event, User
from oncue.core.reasons import SENTENCES
from oncue.rules.compile import Compiled, compile_rule
from oncue.rules.engine import decide
from oncue.rules.spec import RuleState
from oncue.store import backtest, reading, rulebook
from oncue.store.foresee import foresee, imagined
from oncue.store.outbox import Plan
from oncue.web.api.auth import READ
from oncue.web.api.operations import Resource
from oncue.web.api.previews import Preview, drawn
from oncue.web.api.problems import faulty, missing
from oncue.web.api.rule_shapes import EXAMPLE, RuleBody, spec_of
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind
from oncue.web.rule_warnings import warnings

RULE_TESTS = Resource(
    "Trying rules", "What a rule would do, by the functions that do it. Nothing is sent and nothing is kept."
)

WhichRule = Annotated[
    Annotated[str, Field(max_length=64)] | RuleBody,
    Field(description="The key of a rule, or a rule that need not be saved.", examples=["booking-confirmation"]),
]
Object = dict[str, Any]


class Happened(Given):
    """What happened."""

    name: str = Field(min_length=1, max_length=200, description="The event's name.", examples=["booking_confirmed"])
    properties: Object = Field(
        default={}, description="Its properties.", examples=[{"booking_id": "17", "amount": 120}]
    )


class RuleTest(Given):
    """What to try."""

    rule: WhichRule
    user: str = Field(min_length=1, max_length=200, description="Whom it happens to.", examples=["u1"])
    user_properties: Object = Field(
        default={}, description="Properties over those that are known of them.", examples=[{"email": "ann@example.com"}]
    )
    event: Happened


class SeenCondition(BaseModel):
    """A condition, and what was seen."""

    condition: str = Field(description="As it is written.", examples=["event.amount >= 10"])
    held: bool = Field(description="Whether it held.", examples=[True])
    seen: Any = Field(description="The value seen.", examples=[120])
    missing: bool = Field(description="Whether there was no value.", examples=[False])
    parts: list[SeenCondition] = Field(description="Of a nested one: the conditions in it.", examples=[[]])


class ForeseenAction(BaseModel):
    """What would become of one action."""

    action: str = Field(description="Its name.", examples=["email.send"])
    outcome: Literal["sends", "waits", "refused", "does"] = Field(
        description="`does`: something that sends nothing, such as setting a property.", examples=["sends"]
    )
    reason: str = Field(description="If it waits or is refused: why, in a word.", examples=[""])
    sentence: str = Field(description="The same as a sentence.", examples=[""])
    fields: Object = Field(description="Its fields as they would be filled in.", examples=[{"subject": "Booking 17"}])
    recipient: str = Field(description="Where it would go.", examples=["ann@example.com"])
    sender: str = Field(description="Where it would come from.", examples=["shop@example.com"])
    segments: int = Field(description="How many parts the provider would count; 0 where it counts none.", examples=[0])
    warnings: list[str] = Field(description="What is worth knowing, as sentences.", examples=[[]])
    preview: Preview | None = Field(description="How it will look; null for what nobody looks at.")


class RuleTested(BaseModel):
    """What the rule would do, were it on."""

    triggered: bool = Field(description="Whether an event of that name triggers it.", examples=[True])
    acts: bool = Field(description="Whether every condition holds.", examples=[True])
    reason: str = Field(description="Why, in a word.", examples=["acted"])
    sentence: str = Field(description="Why, as a sentence.", examples=["Every condition held, so the rule acted."])
    conditions: list[SeenCondition] = Field(description="Each condition as it was found.")
    actions: list[ForeseenAction] = Field(description="What would become of each action.")
    warnings: list[str] = Field(
        description="What is allowed, but may not be meant: events never seen, rules that trigger one another.",
        examples=[["No event booking_confirmd has been seen yet; did you mean booking_confirmed?"]],
    )


class RuleBacktest(Given):
    """What to replay."""

    rule: WhichRule
    days: int = Field(default=7, ge=1, le=30, description="How many days back.", examples=[7])


class SampleEvent(BaseModel):
    """An event on which the rule would have acted."""

    event: str = Field(description="Its id.", examples=["019ac9a3c0de4f0c8f5b00000000001f"])
    user: str = Field(description="Whose.", examples=["u1"])
    name: str = Field(description="Its name.", examples=["booking_confirmed"])
    at: At = Field(description="When.")
    outcome: str = Field(description="What would have become of the action.", examples=["sends"])
    sentence: str = Field(description="Why, if it would not have been sent.", examples=[""])
    text: str = Field(description="What would have been sent.", examples=["Hi Ann, it is confirmed."])
    recipient: str = Field(description="Where to.", examples=["ann@example.com"])


class Backtested(BaseModel):
    """What the rule would have done."""

    since: At = Field(description="From when on events were looked at.")
    looked_at: int = Field(description="How many events were looked at.", examples=[1200])
    evaluated: int = Field(description="How many of them trigger it.", examples=[58])
    matched: int = Field(description="On how many of these it would have acted.", examples=[41])
    complete: bool = Field(description="Whether everything was looked at.", examples=[True])
    why: str = Field(description="If not, what ended it.", examples=[""])
    not_matched: dict[str, int] = Field(
        description="Why it would not have acted, and how often.", examples=[{"event.amount >= 10 did not hold": 17}]
    )
    sends: int = Field(description="Messages that would have been sent.", examples=[40])
    waits: int = Field(description="Messages that would have waited first.", examples=[0])
    does: int = Field(description="Actions that send nothing.", examples=[0])
    refused: dict[str, int] = Field(description="Why messages would not have been sent, and how often.", examples=[{}])
    people: int = Field(description="To how many people.", examples=[36])
    segments: int = Field(description="In how many parts, where the provider counts them.", examples=[0])
    samples: list[SampleEvent] = Field(description="A few of them.")


@RULE_TESTS.operation(
    "POST /rule-tests",
    scope=READ,
    answer=RuleTested,
    refuses={404: "There is no rule with that key."},
    example={
        "rule": EXAMPLE,
        "user": "u1",
        "user_properties": {"email": "ann@example.com", "country": "IE"},
        "event": {"name": "booking_confirmed", "properties": {"booking_id": "17", "amount": 120}},
    },
)
def test_rule(request: HttpRequest, body: RuleTest) -> object:
    """Try a rule on a user and an event

    As if the rule were on and the event happened now."""
    compiled, snapshot = _compiled(body.rule), behind().snapshot
    known = reading.user(body.user)
    user = User(id=body.user, properties={**(known["properties"] if known else {}), **body.user_properties})
    event = Event(
        id=ids.new(), user=body.user, name=body.event.name, properties=body.event.properties, timestamp=clock.now()
    )
    decision = decide(compiled, event, user)
    unit = imagined(snapshot, compiled.spec, clock.now())
    unit.load_users([user.id])
    unit.users[user.id] = user
    plans = [Plan(event=event, user=user, rule=compiled.spec, planned=one) for one in decision.planned]
    return {
        "triggered": event.name in compiled.spec.triggers,
        "acts": decision.acted,
        "reason": decision.reason,
        "sentence": decision.sentence or SENTENCES[decision.reason],
        "conditions": msgspec.to_builtins(decision.conditions),
        "actions": [
            {
                **msgspec.to_builtins(one),
                "segments": one.preview.segments if one.preview else 0,
                "preview": drawn(one.preview) if one.preview else None,
            }
            for one in foresee(unit, plans)
        ],
        "warnings": warnings(compiled.spec, snapshot),
    }


@RULE_TESTS.operation(
    "POST /rule-backtests",
    scope=READ,
    answer=Backtested,
    refuses={404: "There is no rule with that key."},
    example={"rule": EXAMPLE, "days": 7},
)
def backtest_rule(request: HttpRequest, body: RuleBacktest) -> object:
    """See what a rule would have done

    It is tried on the events of the last days, newest first, with users as they are now; a bounded number of them, for five seconds at most."""
    found = backtest.backtest(_compiled(body.rule), behind().snapshot, since=clock.now() - body.days * clock.DAY)
    return msgspec.to_builtins(found)


def _compiled(given: str | RuleBody) -> Compiled:
    """The rule, as if it were on. Raises `Refused`."""
    if isinstance(given, str):
        stored = rulebook.find(given)
        if stored is None:
            raise missing("rule with the key", given)
        spec = stored.spec
    else:
        spec = spec_of(given, given.key or "unsaved")
    compiled = compile_rule(msgspec.structs.replace(spec, state=RuleState.ON), behind().catalogue)
    if isinstance(compiled, list):
        raise faulty(compiled, "rule.")
    return compiled
