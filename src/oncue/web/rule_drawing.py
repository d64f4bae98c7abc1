"""What the builder's templates draw: the rule's form with what there is to pick from, and each fault at the input it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from oncue.adaptors.builtin import OWN_EVENTS
from oncue.core.adaptor import Action, Adaptor
from oncue.core.fields import Fault, Field, Kind, as_text
from oncue.rules.compile import find_action
from oncue.rules.names import nearest
from oncue.rules.rows import COMPARISONS, AnyOf, Line, Row, Text
from oncue.store import examples, volumes
from oncue.store.config import Snapshot
from oncue.web import forms
from oncue.web.rule_form import ANOTHER, ActionForm, RuleForm

SHOWN_AT_ONCE = 5
"""Fields of an action that are shown; optional ones after these are folded away while they are empty."""
LONG = 1_000
"""A text that may be this long gets a box of several lines."""

MOST_EVENTS = 300
"""Of apps' own, to pick from: the most frequent."""

Drawn = dict[str, Any]


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """A property that was seen: its path, and what an example of it looked like."""

    path: str
    label: str
    example: str


class EventChoice(msgspec.Struct, frozen=True, kw_only=True):
    """An event to pick as a trigger."""

    name: str
    label: str
    note: str


def properties(triggers: Iterable[str]) -> dict[str, list[Property]]:
    """Properties to pick from: of the person, and of the events that trigger the rule."""
    return {
        "user": _properties("user", examples.user_properties()),
        "event": _properties("event", examples.event_properties(triggers)),
    }


def _properties(root: str, seen: Mapping[str, Any]) -> list[Property]:
    found = [_property(root, step, value) for step, value in sorted(seen.items())]
    return found + ([_property("user", ".$id", None)] if root == "user" else [])


def _property(root: str, step: str, value: Any) -> Property:
    label = step.removeprefix(".") if step.startswith(".") else re.sub(r'^\["|"\]$', "", step)
    return Property(path=root + step, label="the user's id" if step == ".$id" else label, example=as_text(value)[:30])


def own_events(snapshot: Snapshot) -> set[str]:
    """Names of what the adaptors and oncue raise."""
    raised = {adaptor.event(kind.name) for adaptor in _in_use(snapshot) for kind in adaptor.events}
    return raised | {kind.name for kind in OWN_EVENTS}


def events(snapshot: Snapshot) -> list[tuple[str, list[EventChoice]]]:
    """Events to pick from, in groups: what apps have sent, what each adaptor raises, what oncue raises."""
    own = [
        (adaptor.label, [_own(adaptor.event(kind.name), kind) for kind in adaptor.events])
        for adaptor in _in_use(snapshot)
    ]
    own = [(label, found) for label, found in own if found]
    own.append(("oncue", [_own(kind.name, kind) for kind in OWN_EVENTS]))
    known = {choice.name for _, group in own for choice in group}
    raised = tuple(f"{name}." for name, one in snapshot.catalogue.items() if not one.builtin)
    seen = [
        EventChoice(name=one["name"], label=one["name"], note=_volume(one["week"]))
        for one in volumes.by_name()[:MOST_EVENTS]
        if one["name"] not in known and not one["name"].startswith(raised)
    ]
    return [("Events your apps have sent", seen), *own]


def _own(name: str, kind: Any) -> EventChoice:
    return EventChoice(name=name, label=kind.label, note=kind.sentence)


def _volume(volume: int) -> str:
    return f"{volume:,} in 7 days" if volume else "none in 7 days"


def _in_use(snapshot: Snapshot) -> list[Adaptor]:
    """Adaptors, those that are configured first."""
    found = [one for one in snapshot.catalogue.values() if not one.builtin]
    return sorted(found, key=lambda one: (one.name not in snapshot.adaptors, one.label))


def body(form: RuleForm, faults: Sequence[Fault], snapshot: Snapshot, focus: str = "") -> Drawn:
    """The context of `_rule_body.html`. `focus` is the id of what was just added."""
    wrong = _by_field(faults)
    groups = events(snapshot)
    seen = properties(form.triggers)
    known = {one.path for group in seen.values() for one in group}
    return {
        "form": form,
        "focus": focus,
        "wrong": wrong,
        "groups": groups,
        "triggers": _triggers(form, groups, wrong),
        "lines": [_line(line, index, wrong, known) for index, line in enumerate(form.lines)],
        "actions": [_action(one, index, snapshot, wrong) for index, one in enumerate(form.actions)],
        "choices": _choices(snapshot),
        "properties": seen,
        "comparisons": COMPARISONS,
        "another": ANOTHER,
    }


def _by_field(faults: Iterable[Fault]) -> dict[str, str]:
    found: dict[str, str] = {}
    for fault in faults:
        found.setdefault(fault.field, fault.sentence)
    return found


def _triggers(form: RuleForm, groups: list[tuple[str, list[EventChoice]]], wrong: Mapping[str, str]) -> list[Drawn]:
    known = {choice.name: choice for _, group in groups for choice in group}
    drawn = []
    for index, name in enumerate(form.triggers):
        choice = known.get(name)
        close = nearest(name, known) if choice is None else None
        unseen = f"Not seen yet{f'; did you mean {close}?' if close else '.'}"
        note = choice.note if choice else unseen
        drawn.append({"name": name, "index": index, "note": note, "is_seen": choice is not None, "fault": wrong.get(f"triggers[{index}]", "")})  # fmt: skip
    return drawn


def _line(line: Line, index: int, wrong: Mapping[str, str], known: set[str]) -> Drawn:
    name = f"c{index}"
    drawn: Drawn = {"index": index, "name": name, "faults": _under(wrong, f"conditions[{index}]")}
    match line:
        case Row():
            return {**drawn, "kind": "row", "row": _row(line, name, known)}
        case Text(text=text):
            return {**drawn, "kind": "text", "text": text}
        case AnyOf(rows=rows):
            return {**drawn, "kind": "any", "rows": [{"index": at, **_row(row, f"{name}-{at}", known)} for at, row in enumerate(rows)]}  # fmt: skip


def _row(row: Row, name: str, known: set[str]) -> Drawn:
    parts = {"path": row.path, "operator": row.operator, "value": row.value, "written": row.written}
    return {"name": name, "is_known": row.path in known, **parts}


def _under(wrong: Mapping[str, str], path: str) -> list[str]:
    return [
        sentence for field, sentence in wrong.items() if field == path or field.startswith((f"{path}.", f"{path}["))
    ]


def _choices(snapshot: Snapshot) -> list[Drawn]:
    """Actions to add: those of configured adaptors, then the built-in ones, then those that are to be configured first."""
    found = []
    for name, adaptor in snapshot.catalogue.items():
        for action in adaptor.actions:
            rank = 1 if adaptor.builtin else 0 if name in snapshot.adaptors else 2
            one = {"name": f"{name}.{action.name}", "label": action.label, "adaptor": adaptor, "help": action.help}
            found.append((rank, {**one, "is_ready": rank < 2}))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _action(form: ActionForm, index: int, snapshot: Snapshot, wrong: Mapping[str, str]) -> Drawn:
    found = find_action(form.action, snapshot.catalogue)
    path = f"actions[{index}]"
    drawn: Drawn = {"index": index, "action": form.action, "kept": msgspec.json.encode(form.kept).decode()}
    if isinstance(found, str):
        return {**drawn, "label": form.action, "fields": [], "more": [], "faults": [found]}
    adaptor = snapshot.catalogue[form.action.partition(".")[0]]
    fields = [_field(field, form, index, snapshot, wrong) for field in found.fields]
    said = {f"{path}.{field.name}" for field in found.fields}
    more = [one for one in fields[SHOWN_AT_ONCE:] if not one["input"].required]
    faults = [sentence for field, sentence in wrong.items() if field == path or (field.startswith(f"{path}.") and not _starts(field, said))]  # fmt: skip
    return {
        **drawn,
        "label": f"{adaptor.label}: {found.label}",
        "help": found.help,
        "is_message": found.is_message,
        "fields": [one for one in fields if one not in more],
        "more": more,
        "is_more_open": any(one["input"].value or one["input"].fault for one in more),
        "faults": faults,
        "adaptor": adaptor,
        "is_configured": adaptor.builtin or adaptor.name in snapshot.adaptors,
    }


def _starts(field: str, said: Iterable[str]) -> bool:
    return any(field == one or field.startswith((f"{one}.", f"{one}[")) for one in said)


def _field(field: Field, form: ActionForm, index: int, snapshot: Snapshot, wrong: Mapping[str, str]) -> Drawn:
    path = f"actions[{index}].{field.name}"
    faults = [Fault(field.name, sentence) for sentence in _under(wrong, path)[:1]]
    text = form.texts.get(field.name, "")
    options = {field.name: _senders(field, form.action, snapshot)}
    (made,) = forms.inputs([field], {field.name: text}, faults, prefix=f"a{index}-f-", options=options)
    is_long = field.kind in (Kind.LIST, Kind.MAP, Kind.JSON, Kind.HTML) or field.max_length >= LONG or "\n" in text
    is_odd = bool(text) and text not in (field.choices if field.kind is Kind.CHOICE else ("true", "false"))
    return {
        "input": made,
        "is_long": is_long and field.kind is not Kind.URL,
        "is_odd": is_odd,
        "takes_properties": field.kind not in (Kind.CHOICE, Kind.BOOLEAN),
    }


def _senders(field: Field, action: str, snapshot: Snapshot) -> list[tuple[str, str]]:
    """The account's own numbers and services, each with the field that it fits: one with a pattern of its own, else `from`."""
    adaptor, _, name = action.partition(".")
    configured, declared = snapshot.adaptors.get(adaptor), snapshot.catalogue[adaptor].action(name)
    found = configured.found.get("senders", []) if configured else []
    return [
        (str(one["name"]), str(one.get("label") or ""))
        for one in found
        if one.get("name") and declared and _fits(declared, str(one["name"])) == field.name
    ]


def _fits(action: Action, sender: str) -> str:
    patterned = [one.name for one in action.fields if one.pattern and re.fullmatch(one.pattern, sender)]
    return patterned[0] if patterned else "from"
