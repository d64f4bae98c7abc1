"""The live preview: what the rule would do with one event of one user, each condition with the value seen, each message as it will look.

Nothing is sent or kept. It tries parts of a rule that is not complete yet, so that somebody who is making one sees what they have.
"""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.core import clock
from oncue.core.event import Event, User
from oncue.core.fields import Fault
from oncue.core.reasons import SENTENCES, Reason
from oncue.rules import conditions
from oncue.rules.compile import Compiled, compile_rule, find_action
from oncue.rules.engine import decide
from oncue.rules.paths import scope_of
from oncue.rules.spec import ActionSpec, Planned, RuleSpec, RuleState, Seen
from oncue.store import backtest, examples
from oncue.store.config import Snapshot
from oncue.store.foresee import Foreseen, foresee, imagined
from oncue.store.outbox import Plan
from oncue.web import rule_builder, rule_example, rule_form
from oncue.web.backstage import behind
from oncue.web.rule_warnings import warnings

Drawn = dict[str, Any]


def preview(request: HttpRequest) -> HttpResponseBase:
    """What is posted, tried on the chosen user and event."""
    given = rule_builder.read(request)
    if given.spec is None:
        return render(request, "oncue/_rule_preview.html", {"file_faults": given.file_faults})
    snapshot, spec = behind().snapshot, given.spec
    example = rule_example.example(spec.triggers, request.POST)
    person = rule_example.chosen(request.POST.get("p-user", ""), example)
    event = rule_example.event_of(example, person.user.id)
    unpicked = rule_form.unpicked(given.form) if given.form else []
    context: Drawn = {
        "person": person,
        "example": example,
        "oob": request.POST.get("p-shown", "") != example.name
        or request.POST.get("p-choices", "") != "|".join(example.choices),
        "faults": _sentences([*unpicked, *given.faults]),
        "warnings": warnings(spec, snapshot),
        "state": spec.state.value,
    }
    if isinstance(event, str):
        context["event_fault"] = event
    elif not person.fault:
        context |= _tried(spec, snapshot, event, person.user)
    return render(request, "oncue/_rule_preview.html", context)


def people(request: HttpRequest) -> HttpResponseBase:
    """Users to pick from, as the options of a list."""
    found = examples.people(request.GET.get("p-user", ""))
    return render(request, "oncue/_rule_people.html", {"people": found})


def look_back(request: HttpRequest) -> HttpResponseBase:
    """What the rule as it is posted would have done in the last seven days."""
    given = rule_builder.read(request)
    snapshot = behind().snapshot
    compiled = compile_rule(given.spec, snapshot.catalogue) if given.spec else []
    if not isinstance(compiled, Compiled):
        return render(request, "oncue/_rule_backtest.html", {"is_invalid": True})
    found = backtest.backtest(compiled, snapshot, since=clock.now() - 7 * clock.DAY)
    return render(request, "oncue/_rule_backtest.html", {"found": found, "messages": found.sends + found.waits})


def _sentences(faults: list[Fault]) -> list[str]:
    return list(dict.fromkeys(fault.sentence for fault in faults))


def _tried(spec: RuleSpec, snapshot: Snapshot, event: Event, user: User) -> Drawn:
    seen = [_seen(one, event, user) for one in spec.conditions]
    holds = all(one.held for one in seen if one) and None not in seen
    planned = [_planned(one, index, snapshot, event, user) for index, one in enumerate(spec.actions)]
    unit = imagined(snapshot, spec, clock.now())
    unit.load_users([user.id])
    unit.users[user.id] = user
    safe = msgspec.structs.replace(spec, send_within="4h") if _is_stale(spec) else spec
    known = [Plan(event=event, user=user, rule=safe, planned=one) for one in planned if isinstance(one, Planned)]
    outcomes = iter(foresee(unit, known))
    return {
        "conditions": [row for one, written in zip(seen, spec.conditions, strict=True) for row in _flat(one, written)],
        "holds": holds,
        "actions": [
            _action(one.action, next(outcomes) if isinstance(plan, Planned) else plan, snapshot)
            for one, plan in zip(spec.actions, planned, strict=True)
        ],
        "is_test_user": user.is_test,
    }


def _is_stale(spec: RuleSpec) -> bool:
    return isinstance(compile_rule(msgspec.structs.replace(spec, actions=(), conditions=()), {}), list)


def _seen(condition: Any, event: Event, user: User) -> Seen | None:
    parsed = conditions.parse(condition)
    return None if isinstance(parsed, list) else parsed(scope_of(event, user))


def _flat(seen: Seen | None, written: Any, depth: int = 0) -> list[Drawn]:
    """Each condition with what was seen, those inside others after them and deeper."""
    if seen is None:
        return [
            {"text": written if isinstance(written, str) else "A nested condition", "is_faulty": True, "depth": depth}
        ]
    words = {"any": "any of these", "all": "all of these", "not": "not this"}
    row: Drawn = {
        "text": words.get(seen.condition, seen.condition) if seen.parts else seen.condition,
        "held": seen.held,
        "depth": depth,
    }
    if not seen.parts:
        row["saw"] = "there was no value" if seen.missing else f"it was {conditions.to_text(seen)}"
    return [row, *(inner for part in seen.parts for inner in _flat(part, "", min(depth + 1, 3)))]


def _planned(action: ActionSpec, index: int, snapshot: Snapshot, event: Event, user: User) -> Planned | list[Fault]:
    """One action on its own: the rest of the rule may not be right yet."""
    alone = RuleSpec(key="preview", name="preview", state=RuleState.ON, triggers=(event.name,), actions=(action,))
    compiled = compile_rule(alone, snapshot.catalogue)
    if isinstance(compiled, list):
        return compiled
    decision = decide(compiled, event, user)
    if not decision.planned:
        return [Fault("", decision.sentence or SENTENCES[Reason.RULE_FAULT])]
    return msgspec.structs.replace(decision.planned[0], index=index)


def _action(name: str, outcome: Foreseen | list[Fault], snapshot: Snapshot) -> Drawn:
    action = find_action(name, snapshot.catalogue)
    label = name if isinstance(action, str) else f"{snapshot.catalogue[name.partition('.')[0]].label}: {action.label}"
    drawn: Drawn = {"label": label, "adaptor": name.partition(".")[0]}
    if isinstance(outcome, list):
        return {**drawn, "faults": _sentences(outcome)}
    labels = {} if isinstance(action, str) else {field.name: field.label for field in action.fields}
    fields = [(labels.get(field, field), value) for field, value in outcome.fields.items()]
    return {**drawn, "outcome": outcome, "preview": outcome.preview, "fields": fields}
