"""A rule as a form and back: what is posted is what the page shows, so that it can be drawn again with a row more or less.

A value that its input cannot hold as it was (a list inside a text, a space at the end of a line) is kept beside it, and stays unless
the input is changed: a rule that is opened and saved is the same rule.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from oncue.core.adaptor import Adaptor
from oncue.core.fields import Fault, Field, Kind
from oncue.core.message import Category
from oncue.rules.compile import find_action
from oncue.rules.rows import AnyOf, Line, Row, Text, filled, to_conditions, to_lines
from oncue.rules.spec import ActionSpec, RuleSpec, RuleState
from oncue.web import forms

Catalogue = Mapping[str, Adaptor]
ANOTHER = "+"
"""The choice "another property", beside which its path is typed in."""


UNPICKED = "Choose the property that this condition looks at, or take the condition away."


class Posted(Protocol):
    """What a browser posts: Django's QueryDict."""

    def get(self, name: str, default: str, /) -> Any: ...
    def getlist(self, name: str, /) -> list[str]: ...


class ActionForm(msgspec.Struct, kw_only=True):
    """One action: what its inputs hold, and what they could not."""

    action: str
    texts: dict[str, str] = {}
    kept: dict[str, Any] = {}
    """Values whose input shows something else than would be read from it; and fields that the action does not declare."""


class RuleForm(msgspec.Struct, kw_only=True):
    """A rule as its form holds it."""

    key: str = ""
    name: str = ""
    state: str = "off"
    category: str = "transactional"
    send_within: str = "4h"
    ignore_quiet_hours: bool = False
    triggers: list[str] = []
    lines: list[Line] = []
    actions: list[ActionForm] = []


def shown(spec: RuleSpec, catalogue: Catalogue) -> RuleForm:
    """The form of a rule."""
    return RuleForm(
        key=spec.key,
        name=spec.name,
        state=spec.state.value,
        category=spec.category.value,
        send_within=spec.send_within,
        ignore_quiet_hours=spec.ignore_quiet_hours,
        triggers=list(spec.triggers),
        lines=to_lines(spec.conditions),
        actions=[_shown_action(one, catalogue) for one in spec.actions],
    )


def spec_of(form: RuleForm, catalogue: Catalogue) -> RuleSpec:
    """The rule that a form says. What was left blank is left out."""
    return RuleSpec(
        key=form.key,
        name=form.name,
        state=RuleState(form.state),
        category=Category(form.category),
        triggers=tuple(one for one in form.triggers if one.strip()),
        conditions=to_conditions(filled(form.lines)),
        actions=tuple(_action_spec(one, catalogue) for one in form.actions),
        send_within=form.send_within,
        ignore_quiet_hours=form.ignore_quiet_hours,
    )


def unpicked(form: RuleForm) -> list[Fault]:
    """Rows of conditions for which no property was chosen: forgotten, they would let every event through."""
    rows = [(index, line.rows if isinstance(line, AnyOf) else (line,)) for index, line in enumerate(form.lines)]
    blank = [index for index, some in rows if any(isinstance(row, Row) and not row.path.strip() for row in some)]
    return [Fault(f"conditions[{index}]", UNPICKED) for index in blank]


def read(posted: Posted) -> RuleForm:
    """The form as it was posted."""
    return RuleForm(
        key=posted.get("key", "").strip(),
        name=posted.get("name", ""),
        state=_one_of(RuleState, posted.get("state", "")),
        category=_one_of(Category, posted.get("category", "")),
        send_within=posted.get("send_within", "").strip() or "4h",
        ignore_quiet_hours=bool(posted.get("ignore_quiet_hours", "")),
        triggers=[one for one in posted.getlist("trigger") if one.strip()],
        lines=[_read_line(posted, f"c{one}") for one in posted.getlist("c") if one.isdigit()],
        actions=[_read_action(posted, f"a{one}") for one in posted.getlist("a") if one.isdigit()],
    )


def pairs(form: RuleForm) -> list[tuple[str, str]]:
    """What a browser posts of the form as it is shown: the names of the inputs in `rule_body.html`."""
    found = [(name, str(getattr(form, name))) for name in ("key", "name", "state", "category", "send_within")]
    found += [("ignore_quiet_hours", "yes")] if form.ignore_quiet_hours else []
    found += [("trigger", one) for one in form.triggers]
    for index, line in enumerate(form.lines):
        found += [("c", str(index)), *_line_pairs(line, f"c{index}")]
    for index, action in enumerate(form.actions):
        found += [("a", str(index)), (f"a{index}-action", action.action), (f"a{index}-kept", _json(action.kept))]
        found += [(f"a{index}-f-{name}", text) for name, text in action.texts.items()]
    return found


def named(text: str, taken: Collection[str]) -> str:
    """A key made of a rule's name, which no other rule has."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:56] or "rule"
    found, number = key, 2
    while found in taken:
        found, number = f"{key}-{number}", number + 1
    return found


def started(name: str, catalogue: Catalogue) -> ActionForm:
    """A fresh action: fields whose example is a property that most have begin with it."""
    fields = _fields(name, catalogue)
    return ActionForm(
        action=name,
        texts={field.name: field.example for field in fields if field.required and field.example.startswith("{{")},
    )


def _one_of(kind: type[RuleState] | type[Category], given: str) -> str:
    words = [str(one.value) for one in kind]
    return given if given in words else words[0]


def _fields(name: str, catalogue: Catalogue) -> tuple[Field, ...]:
    found = find_action(name, catalogue)
    return () if isinstance(found, str) else found.fields


def _shown_action(spec: ActionSpec, catalogue: Catalogue) -> ActionForm:
    texts: dict[str, str] = {}
    kept = dict(spec.fields)
    for field in _fields(spec.action, catalogue):
        if field.name not in spec.fields:
            continue
        value = spec.fields[field.name]
        texts[field.name] = _as_input(field, forms.written(field, value))
        if value not in ("", [], {}) and _same(_meant(field, texts[field.name]), value):
            del kept[field.name]
    return ActionForm(action=spec.action, texts=texts, kept=kept)


def _action_spec(form: ActionForm, catalogue: Catalogue) -> ActionSpec:
    found: dict[str, Any] = {}
    declared = _fields(form.action, catalogue)
    for field in declared:
        text = form.texts.get(field.name, "")
        if field.name in form.kept and text == _as_input(field, forms.written(field, form.kept[field.name])):
            found[field.name] = form.kept[field.name]
        elif (value := _meant(field, text)) not in ("", [], {}):
            found[field.name] = value
    names = {field.name for field in declared}
    found |= {name: value for name, value in form.kept.items() if name not in names}
    return ActionSpec(action=form.action, fields=found)


def _as_input(field: Field, text: str) -> str:
    """As a browser gives it back: lines end in one way."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _meant(field: Field, text: str) -> Any:
    return forms.read_written(field.kind, text) if field.kind is not Kind.SECRET else text


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and _json(one) == _json(other)


def _read_action(posted: Posted, name: str) -> ActionForm:
    action = posted.get(f"{name}-action", "")
    prefix = f"{name}-f-"
    texts = {
        one.removeprefix(prefix): posted.get(one, "").replace("\r\n", "\n")
        for one in _names(posted)
        if one.startswith(prefix)
    }
    try:
        kept = msgspec.json.decode(posted.get(f"{name}-kept", "") or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        kept = {}
    return ActionForm(action=action, texts=texts, kept=kept)


def _names(posted: Any) -> Iterable[str]:
    return list(posted)


def _read_line(posted: Posted, name: str) -> Line:
    kind = posted.get(f"{name}-kind", "row")
    if kind == "text":
        return Text(text=posted.get(f"{name}-text", "").replace("\r\n", "\n"))
    if kind == "any":
        inner = [one for one in posted.getlist(name) if one.isdigit()]
        return AnyOf(rows=tuple(_read_row(posted, f"{name}-{one}") for one in inner))
    return _read_row(posted, name)


def _read_row(posted: Posted, name: str) -> Row:
    path = posted.get(f"{name}-path", "")
    return Row(
        path=posted.get(f"{name}-other", "").strip() if path == ANOTHER else path,
        operator=posted.get(f"{name}-op", "") or "==",
        value=posted.get(f"{name}-value", ""),
        written=posted.get(f"{name}-written", ""),
    )


def _line_pairs(line: Line, name: str) -> list[tuple[str, str]]:
    match line:
        case Text(text=text):
            return [(f"{name}-kind", "text"), (f"{name}-text", text)]
        case AnyOf(rows=rows):
            found = [(f"{name}-kind", "any")]
            for index, row in enumerate(rows):
                found += [(name, str(index)), *_row_pairs(row, f"{name}-{index}")]
            return found
        case Row():
            return [(f"{name}-kind", "row"), *_row_pairs(line, name)]


def _row_pairs(row: Row, name: str) -> list[tuple[str, str]]:
    parts = (("path", row.path), ("op", row.operator), ("value", row.value), ("written", row.written))
    return [(f"{name}-{part}", text) for part, text in parts]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
