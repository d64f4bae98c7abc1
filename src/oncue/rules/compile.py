"""Compiling a rule: everything that can be wrong with it is said now, when it is saved, not at 3 a.m. when it should act."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from oncue.core.adaptor import Action, Adaptor, reserved
from oncue.core.fields import Fault, Field, Kind, read
from oncue.core.message import Category
from oncue.rules import conditions, duration, templates
from oncue.rules.conditions import Condition
from oncue.rules.names import there_is_no
from oncue.rules.spec import ActionSpec, RuleSpec
from oncue.rules.templates import Rendering

MOST_ACTIONS = 20
MOST_CONDITIONS = 100
ENVIRONMENT = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


class CompiledField(msgspec.Struct, frozen=True):
    """One field of an action: how it is typed, and how it is rendered."""

    field: Field
    render: Rendering


class CompiledAction(msgspec.Struct, frozen=True):
    """One action, ready to be rendered."""

    name: str
    fields: tuple[CompiledField, ...]


class Compiled(msgspec.Struct, frozen=True):
    """A rule, ready to decide."""

    spec: RuleSpec
    conditions: tuple[Condition, ...]
    actions: tuple[CompiledAction, ...]


def compile_rule(spec: RuleSpec, adaptors: Mapping[str, Adaptor], *, is_saved: bool = False) -> Compiled | list[Fault]:
    """The rule ready to decide, or every fault; a fault's field is a path such as `actions[0].body`. One that `is_saved` was checked by the
    oncue of then: where an adaptor would refuse what is written by now, its other actions still go on, and the refusal is an event."""
    faults: list[Fault] = []
    _check_frame(spec, faults)
    parsed = []
    for index, condition in enumerate(spec.conditions):
        result = conditions.parse(condition, f"conditions[{index}]")
        if isinstance(result, list):
            faults += result
        else:
            parsed.append(result)
    actions = [
        _compile_action(action, f"actions[{index}]", adaptors, faults, is_saved)
        for index, action in enumerate(spec.actions)
    ]
    if faults:
        return faults
    return Compiled(spec, tuple(parsed), tuple(action for action in actions if action))


def find_action(name: str, adaptors: Mapping[str, Adaptor]) -> Action | str:
    """The action of that full name, or what is wrong with the name."""
    adaptor_name, _, action_name = name.partition(".")
    adaptor = adaptors.get(adaptor_name)
    everything = [f"{one.name}.{action.name}" for one in adaptors.values() for action in one.actions]
    action = adaptor.action(action_name) if adaptor else None
    return action or there_is_no("action", name, everything)


def _check_frame(spec: RuleSpec, faults: list[Fault]) -> None:
    if not spec.name.strip():
        faults.append(Fault("name", "A rule needs a name."))
    if not spec.triggers:
        faults.append(Fault("triggers", "A rule needs at least one trigger: the name of an event."))
    for index, trigger in enumerate(spec.triggers):
        if not trigger.strip():
            faults.append(Fault(f"triggers[{index}]", "A trigger is the name of an event."))
    if not spec.actions:
        faults.append(Fault("actions", "A rule needs at least one action."))
    if len(spec.actions) > MOST_ACTIONS:
        faults.append(Fault("actions", f"A rule has at most {MOST_ACTIONS} actions."))
    if len(spec.conditions) > MOST_CONDITIONS:
        faults.append(Fault("conditions", f"A rule has at most {MOST_CONDITIONS} conditions."))
    if spec.ignore_quiet_hours and spec.category is not Category.TRANSACTIONAL:
        sentence = "Only a transactional rule may ignore the quiet hours: nobody is sent an offer at night. Leave ignore_quiet_hours out."
        faults.append(Fault("ignore_quiet_hours", sentence))
    for name in ("name", "triggers", "conditions"):
        faults += refuse_environment(name, getattr(spec, name))
    for index, action in enumerate(spec.actions):
        for name, value in action.fields.items():
            faults += refuse_environment(f"actions[{index}].{name}", value)
    try:
        duration.seconds(spec.send_within)
    except ValueError as error:
        faults.append(Fault("send_within", f"send_within {error}"))


def refuse_environment(path: str, value: Any) -> Iterator[Fault]:
    """A fault for each `${env:…}`, at any depth."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from refuse_environment(f"{path}.{name}", one)
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from refuse_environment(f"{path}[{index}]", one)
    elif isinstance(value, str) and ENVIRONMENT.search(value):
        yield Fault(
            path,
            "${env:…} works in api_keys and adaptors only: all else is seen by everybody who reads a message or a rule.",
        )


def _compile_action(
    spec: ActionSpec, path: str, adaptors: Mapping[str, Adaptor], faults: list[Fault], is_saved: bool
) -> CompiledAction | None:
    action = find_action(spec.action, adaptors)
    if isinstance(action, str):
        faults.append(Fault(f"{path}.action", action))
        return None
    known = {field.name: field for field in action.fields}
    compiled = []
    before = len(faults)
    for name, value in spec.fields.items():
        if name not in known:
            faults.append(Fault(f"{path}.{name}", there_is_no(f"field of {spec.action}", name, known)))
        elif not _is_empty(value):
            render = _compile_field(known[name], value, f"{path}.{name}", faults)
            if render:
                compiled.append(CompiledField(known[name], render))
    for field in action.fields:
        if field.required and _is_empty(spec.fields.get(field.name)):
            faults.append(Fault(f"{path}.{field.name}", f"{field.label} is required."))
        elif field.default is not None and _is_empty(spec.fields.get(field.name)):
            compiled.append(CompiledField(field, _constant(field.default)))
    if action.check and not is_saved and len(faults) == before:
        faults += [
            Fault(f"{path}.{fault.field}" if fault.field else path, fault.sentence)
            for fault in action.check({}, spec.fields)
        ]
    emitted = spec.fields.get("name") if spec.action == "event.emit" else None
    if isinstance(emitted, str) and emitted.startswith(reserved(adaptors)):
        faults.append(
            Fault(f"{path}.name", f"{emitted!r} begins like an event that oncue or an adaptor raises; choose another.")
        )
    return CompiledAction(spec.action, tuple(compiled))


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _constant(value: Any) -> Rendering:
    return lambda scope: value


def _compile_field(field: Field, value: Any, path: str, faults: list[Fault]) -> Rendering | None:
    if not has_template(value):
        values, found = read([field], {field.name: value})
        faults += [Fault(path, fault.sentence) for fault in found]
        return None if found else _constant(values[field.name])
    if isinstance(value, list | dict) and field.kind not in (Kind.LIST, Kind.MAP, Kind.JSON):
        faults.append(
            Fault(path, f"{field.label} must be a text, not a {'map' if isinstance(value, dict) else 'list'}.")
        )
        return None
    return _compile_value(value, path, faults, html=field.kind is Kind.HTML)


def has_template(value: Any) -> bool:
    """Whether anything in it is to be rendered."""
    if isinstance(value, str):
        return templates.is_template(value)
    if isinstance(value, dict):
        return any(has_template(one) for one in value.values())
    return isinstance(value, list) and any(has_template(one) for one in value)


def _compile_value(value: Any, path: str, faults: list[Fault], *, html: bool) -> Rendering | None:
    """Leaf by leaf: a list property in a list spreads out in it."""
    if isinstance(value, dict):
        parts = {name: _compile_value(one, f"{path}.{name}", faults, html=html) for name, one in value.items()}
        kept = {name: part for name, part in parts.items() if part}
        return lambda scope: {name: part(scope) for name, part in kept.items()}
    if isinstance(value, list):
        items = [
            part for i, one in enumerate(value) if (part := _compile_value(one, f"{path}[{i}]", faults, html=html))
        ]
        return lambda scope: _spread(value, (part(scope) for part in items))
    if not isinstance(value, str):
        return _constant(value)
    try:
        return templates.parse(value, html=html, typed=not html)
    except templates.Wrong as wrong:
        faults.append(Fault(path, str(wrong)))
        return None


def _spread(written: list[Any], items: Iterable[Any]) -> list[Any]:
    spread: list[Any] = []
    for one, item in zip(written, items, strict=True):
        if isinstance(one, str) and isinstance(item, list):
            spread += item
        else:
            spread.append(item)
    return spread
