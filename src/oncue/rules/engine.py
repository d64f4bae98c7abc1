"""The engine: (rule, event, user) → decision. Pure: the same arguments always give the same decision."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from oncue.core.event import Event, User
from oncue.core.fields import read
from oncue.core.reasons import SENTENCES, Reason
from oncue.rules import templates
from oncue.rules.compile import Compiled, CompiledAction
from oncue.rules.paths import scope_of
from oncue.rules.spec import Decision, Planned, RuleState

log = logging.getLogger("oncue.rules")


class RuleIndex:
    """Rules by the events that trigger them: ten thousand rules cost an event no more than the few it triggers."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self._by_trigger: dict[str, list[Compiled]] = {}
        for rule in rules:
            for trigger in dict.fromkeys(rule.spec.triggers):
                self._by_trigger.setdefault(trigger, []).append(rule)

    def triggered_by(self, name: str) -> Sequence[Compiled]:
        """Rules with that trigger, in the order they were given."""
        return self._by_trigger.get(name, ())


def decide(rule: Compiled, event: Event, user: User, contain: bool = True) -> Decision:
    """What the rule does about the event, and why. With `contain`, a fault of ours becomes a decision not to act, and is logged."""
    try:
        return _decide(rule, event, user)
    except Exception as bug:
        if not contain:
            raise
        log.exception("rule %s could not decide on event %s because of a fault in oncue", rule.spec.key, event.id)
        sentence = f"{SENTENCES[Reason.RULE_FAULT]} ({type(bug).__name__})"
        return Decision(rule=rule.spec.key, acted=False, reason=Reason.RULE_FAULT, sentence=sentence)


def _decide(rule: Compiled, event: Event, user: User) -> Decision:
    spec = rule.spec
    if spec.state is RuleState.OFF:
        return Decision(rule=spec.key, acted=False, reason=Reason.RULE_OFF)
    if spec.state is RuleState.TEST and not user.is_test:
        return Decision(rule=spec.key, acted=False, reason=Reason.NOT_TEST_USER)
    scope = scope_of(event, user)
    seen = tuple(condition(scope) for condition in rule.conditions)
    if not all(one.held for one in seen):
        return Decision(rule=spec.key, acted=False, reason=Reason.CONDITIONS, conditions=seen)
    scope = templates.present(scope)
    planned = tuple(_plan(action, index, scope) for index, action in enumerate(rule.actions))
    return Decision(rule=spec.key, acted=True, reason=Reason.ACTED, conditions=seen, planned=planned)


def _plan(action: CompiledAction, index: int, scope: dict[str, Any]) -> Planned:
    rendered: dict[str, Any] = {}
    for compiled in action.fields:
        name = compiled.field.name
        try:
            rendered[name] = compiled.render(scope)
        except templates.MissingValue as missing:
            sentence = f"{compiled.field.label}: {missing}, and the template gives no default."
            return Planned(
                action=action.name,
                index=index,
                fields=rendered,
                problem=Reason.MISSING_VALUE,
                field=name,
                sentence=sentence,
            )
        except templates.Unrenderable as wrong:
            sentence = f"{compiled.field.label}: {wrong}."
            return Planned(
                action=action.name,
                index=index,
                fields=rendered,
                problem=Reason.INVALID_FIELD,
                field=name,
                sentence=sentence,
            )
    values, faults = read([compiled.field for compiled in action.fields], rendered)
    if faults:
        fault = faults[0]
        return Planned(
            action=action.name,
            index=index,
            fields=rendered,
            problem=Reason.INVALID_FIELD,
            field=fault.field,
            sentence=fault.sentence,
        )
    return Planned(action=action.name, index=index, fields=values)
