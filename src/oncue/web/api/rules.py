"""Rules: listed, made, changed, switched, archived and brought back, with every revision."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.rules.compile import compile_rule
from oncue.rules.spec import RuleSpec, RuleState
from oncue.store import rulebook
from oncue.store.rulebook import Stored
from oncue.web import rule_form, rule_saving
from oncue.web.api.auth import READ, WRITE, who
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Limit, Paged, next_url
from oncue.web.api.problems import Refused, faulty, missing, wrong
from oncue.web.api.rule_shapes import EXAMPLE, Rule, RuleBody, Spec, State, said, shown, spec_of
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind

RULES = Resource("Rules", "What is done when something happens: the same model as the rules file and the builder.")

RuleKey = Annotated[str, Field(max_length=64, description="The rule's key.", examples=["booking-confirmation"])]
Number = Annotated[int, Field(ge=1, le=2**31 - 1, description="Which revision.", examples=[2])]

Over = Annotated[
    int | None,
    Field(
        ge=1,
        le=2**31 - 1,
        description="Only if this is still the newest revision, so that nobody's change is lost.",
        examples=[None],
    ),
]


class Rules(Paged):
    """Rules, by key."""

    items: list[Rule]


class NewState(Given):
    """Where to put the switch."""

    state: State


class Revision(BaseModel):
    """A version that a rule had."""

    revision: int = Field(description="Which, from 1.", examples=[2])
    by: str = Field(description="Who made it.", examples=["ann@example.com"])
    at: At = Field(description="When.")
    rule: Spec = Field(description="What it said.")


class Revisions(BaseModel):
    """The versions of a rule, the newest two hundred, newest first."""

    items: list[Revision]


@RULES.operation("GET /rules", scope=READ, answer=Rules)
def list_rules(
    request: HttpRequest,
    archived: Annotated[
        bool, Field(description="Those that are archived, in place of the others.", examples=[False])
    ] = False,
    after: Annotated[
        str,
        Field(
            max_length=64, description="Where to go on: only keys after this. Taken from `next`.", examples=["booking"]
        ),
    ] = "",
    limit: Limit = 50,
) -> object:
    """List the rules"""
    found = rulebook.listing(archived=archived, after=after, limit=limit + 1)
    last = found[limit - 1].key if len(found) > limit else None
    return {"items": [shown(one) for one in found[:limit]], "next": next_url(request, last, "after")}


@RULES.operation(
    "POST /rules",
    scope=WRITE,
    answer=Rule,
    status=201,
    refuses={409: "There is a rule with that key."},
    example=EXAMPLE,
)
def create_rule(request: HttpRequest, body: RuleBody) -> object:
    """Make a rule

    It acts from the next event on, if its state says so. A rule with a fault is not saved; to keep a draft of one, save it as a file."""
    taken = rulebook.taken()
    key = body.key or rule_form.named(body.name or "", taken)
    if key in taken:
        raise Refused(
            409, f"There is a rule with the key {key} already, which may be archived; PUT it, or choose another key."
        )
    save(request, spec_of(body, key), over=0)
    return shown(known(key))


@RULES.operation("GET /rules/{key}", scope=READ, answer=Rule)
def get_rule(request: HttpRequest, key: RuleKey) -> object:
    """Get a rule"""
    return shown(known(key))


@RULES.operation(
    "PUT /rules/{key}",
    scope=WRITE,
    answer=Rule,
    refuses={409: "It is archived, or `revision` is not its newest."},
    example={name: value for name, value in EXAMPLE.items() if name != "key"},
)
def replace_rule(
    request: HttpRequest,
    key: RuleKey,
    body: RuleBody,
    revision: Over = None,
) -> object:
    """Replace a rule

    What the body leaves out is as for a new rule. It becomes a new revision, unless nothing differs; what waits of a rule that is off is not sent."""
    living(key)
    if body.key not in (None, key):
        raise wrong([("key", f"The key of a rule is its identity and stays {key}; make a new rule to have another.")])
    save(request, spec_of(body, key), over=revision)
    return shown(known(key))


@RULES.operation(
    "PUT /rules/{key}/state",
    scope=WRITE,
    answer=Rule,
    refuses={409: "It is archived.", 422: "It has faults, so it stays off."},
    example={"state": "on"},
)
def set_rule_state(request: HttpRequest, key: RuleKey, body: NewState) -> object:
    """Switch a rule off, to test, or on"""
    spec = msgspec.structs.replace(living(key).spec, state=RuleState(body.state))
    _check_switch(spec)
    save(request, spec)
    return shown(known(key))


@RULES.operation("POST /rules/{key}/archive", scope=WRITE, answer=Rule)
def archive_rule(request: HttpRequest, key: RuleKey) -> object:
    """Archive a rule

    It acts no more, what waits of it is not sent, and it leaves the list. It can be brought back."""
    known(key)
    behind().change(lambda: rulebook.archive(key, by=who(request)))
    return shown(known(key))


@RULES.operation("POST /rules/{key}/restore", scope=WRITE, answer=Rule)
def restore_rule(request: HttpRequest, key: RuleKey) -> object:
    """Bring an archived rule back

    It is off then."""
    before = known(key)
    if before.archived_at is not None:
        save(request, msgspec.structs.replace(before.spec, state=RuleState.OFF))
    return shown(known(key))


@RULES.operation("GET /rules/{key}/revisions", scope=READ, answer=Revisions)
def list_revisions(request: HttpRequest, key: RuleKey) -> object:
    """List the revisions of a rule"""
    known(key)
    return {
        "items": [
            {"revision": one.revision, "by": one.by, "at": one.at, "rule": said(one.spec)}
            for one in rulebook.revisions(key)
        ]
    }


@RULES.operation(
    "POST /rules/{key}/revisions/{revision}/restore",
    scope=WRITE,
    answer=Rule,
    refuses={409: "It is archived.", 422: "That revision has faults, and the rule is not off."},
)
def restore_revision(request: HttpRequest, key: RuleKey, revision: Number) -> object:
    """Make an old revision the newest

    The state stays as it is now: nobody is texted because somebody looked back."""
    now = living(key)
    old = next((one for one in rulebook.revisions(key) if one.revision == revision), None)
    if old is None:
        raise missing(f"revision of {key} with the number", str(revision))
    spec = msgspec.structs.replace(old.spec, state=now.spec.state)
    _check_switch(spec)
    save(request, spec)
    return shown(known(key))


def save(request: HttpRequest, spec: RuleSpec, over: int | None = None) -> None:
    """Make it a new revision; of a known one, if `over` says so (0 for none). Raises `Refused`."""
    try:
        rule_saving.save(spec, who(request), over)
    except rulebook.Moved:
        found = rulebook.find(spec.key)
        if found is None or not over:
            raise Refused(
                409, f"Somebody made, or took away, the rule {spec.key} just now; look at it, then try again."
            ) from None
        said = f"The newest revision is {found.revision}, not {over}: somebody changed it. Look at it, then try again."
        raise Refused(409, said) from None


def _check_switch(spec: RuleSpec) -> None:
    """A rule with faults stays off. Raises `Refused`."""
    compiled: Any = compile_rule(spec, behind().catalogue)
    if isinstance(compiled, list) and spec.state is not RuleState.OFF:
        raise faulty(compiled)


def known(key: str) -> Stored:
    """The rule with that key. Raises `Refused`."""
    found = rulebook.find(key)
    if found is None:
        raise missing("rule with the key", key)
    return found


def living(key: str) -> Stored:
    """The rule with that key, unless it is archived. Raises `Refused`."""
    found = known(key)
    if found.archived_at is not None:
        raise Refused(409, f"The rule {key} is archived; restore it first.")
    return found
