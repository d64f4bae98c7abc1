"""Rules as files: one rule as the YAML that `oncue apply` takes, got and saved, and two of its revisions compared line by line."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.rules.spec import RuleState
from oncue.store import rulebook
from oncue.web import rule_file, rule_history
from oncue.web.api.auth import READ, WRITE
from oncue.web.api.problems import missing, wrong
from oncue.web.api.rule_shapes import Key, Rule, shown
from oncue.web.api.rules import RULES, Over, RuleKey, known, living, save
from oncue.web.api.shapes import Given
from oncue.web.backstage import behind
from oncue.web.rule_saving import wrong_key

_EXAMPLE = """rules:
  - key: booking-confirmation
    name: Booking confirmation
    state: "off"
    category: transactional
    triggers: [booking_confirmed]
    actions:
      - action: email.send
        to: "{{ user.email }}"
        subject: Booking {{ event.booking_id }}
        text: It is confirmed.
"""

Yaml = Annotated[
    str, Field(max_length=200_000, description="The rule as a file, with one rule under `rules`.", examples=[_EXAMPLE])
]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1, description="Which revision.", examples=[2])]


class RuleFile(BaseModel):
    """A rule as a file."""

    key: Key
    revision: int = Field(description="Which version of it this is, from 1.", examples=[3])
    yaml: Yaml


class NewRuleFile(Given):
    """A rule to save."""

    yaml: Yaml


class DiffLine(BaseModel):
    """A line of a comparison."""

    kind: Literal["same", "added", "removed", "gap"] = Field(
        description="`gap`: lines that stay the same are left out here.", examples=["added"]
    )
    text: str = Field(description="The line.", examples=["    name: Booking confirmation"])


class Differences(BaseModel):
    """What differs between two revisions, as files; nothing, if nothing does."""

    lines: list[DiffLine] = Field(description="Line by line.")


@RULES.operation("GET /rules/{key}/file", scope=READ, answer=RuleFile)
def get_rule_file(request: HttpRequest, key: RuleKey) -> object:
    """Get a rule as a file"""
    stored = known(key)
    return {"key": stored.key, "revision": stored.revision, "yaml": rule_file.write(stored.spec)}


@RULES.operation(
    "PUT /rules/{key}/file",
    scope=WRITE,
    answer=Rule,
    refuses={
        409: "It is archived, or `revision` is not its newest.",
        422: "The file cannot be read, or the rule in it has faults and is not off; `errors` says what, line by line.",
    },
    example={"yaml": _EXAMPLE},
)
def save_rule_file(request: HttpRequest, key: RuleKey, body: NewRuleFile, revision: Over = None) -> object:
    """Save a rule as a file

    A new one too: there need not be a rule with that key. A rule that has faults can be kept as a draft while it is `off`; `faults` says what to mend."""
    is_new = rulebook.find(key) is None
    if is_new and revision is not None:
        raise missing("rule with the key", key)
    if is_new and (said := wrong_key(key)):
        raise wrong([("key", said)])
    if not is_new:
        living(key)
    given = rule_file.read(body.yaml.replace("\r\n", "\n"), behind().catalogue, key)
    can_be_kept = given.spec and given.spec.state is RuleState.OFF and given.spec.name.strip()
    if given.spec is None or (given.faults and not can_be_kept):
        raise wrong(("yaml", said) for said in rule_file.sentences(given.faults))
    save(request, given.spec, over=0 if is_new else revision)
    return shown(known(key))


@RULES.operation("GET /rules/{key}/differences", scope=READ, answer=Differences)
def compare_revisions(request: HttpRequest, key: RuleKey, before: Revision, after: Revision) -> object:
    """Compare two revisions of a rule"""
    known(key)
    found = {one.revision: one for one in rulebook.revisions(key)}
    for number in (before, after):
        if number not in found:
            raise missing(f"revision of {key} with the number", str(number))
    return {"lines": msgspec.to_builtins(rule_history.compared(found[before], found[after]))}
