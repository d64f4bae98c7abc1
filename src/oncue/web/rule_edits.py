"""What the builder's buttons do to a form: a trigger, a condition or an action more or less. Each says where the focus goes."""

from __future__ import annotations

import contextlib

from oncue.core.adaptor import Adaptor
from oncue.rules.compile import find_action
from oncue.rules.rows import AnyOf, Line, Row, Text
from oncue.web.backstage import behind
from oncue.web.rule_form import RuleForm, started

_BLANK = Row(path="", operator="==")


def change(form: RuleForm, verb: str, what: str) -> str:
    """Do it; the id of what is to have the focus. A button of an older page may speak of what is gone: then nothing changes."""
    form.triggers = list(dict.fromkeys(form.triggers))
    with contextlib.suppress(IndexError, ValueError):
        match verb:
            case "trigger":
                form.triggers = list(dict.fromkeys([*form.triggers, what]))
                return "trigger-new"
            case "drop-trigger":
                del form.triggers[int(what)]
                return "trigger-new"
            case "add-line":
                return _add_line(form, what)
            case "drop-line":
                del form.lines[int(what.split()[0])]
                return "add-condition"
            case "add-row":
                return _add_row(form, int(what))
            case "drop-row":
                return _drop_row(form, *map(int, what.split()))
            case "action":
                return _add_action(form, what)
            case "drop-action":
                del form.actions[int(what)]
                return "add-action"
            case "redraw":
                return what
    return ""


def _add_line(form: RuleForm, kind: str) -> str:
    fresh: dict[str, Line] = {"any": AnyOf(rows=(_BLANK, _BLANK)), "text": Text(text="")}
    form.lines.append(fresh.get(kind, _BLANK))
    at = len(form.lines) - 1
    return f"c{at}-0" if kind == "any" else f"c{at}"


def _add_row(form: RuleForm, at: int) -> str:
    line = form.lines[at]
    if not isinstance(line, AnyOf):
        return ""
    form.lines[at] = AnyOf(rows=(*line.rows, _BLANK))
    return f"c{at}-{len(line.rows)}"


def _drop_row(form: RuleForm, at: int, inner: int) -> str:
    line = form.lines[at]
    if not isinstance(line, AnyOf):
        return ""
    left = tuple(row for index, row in enumerate(line.rows) if index != inner)
    if left:
        form.lines[at] = AnyOf(rows=left)
        return f"c{at}-{min(inner, len(left) - 1)}"
    del form.lines[at]
    return "add-condition"


def _add_action(form: RuleForm, name: str) -> str:
    catalogue: dict[str, Adaptor] = dict(behind().catalogue)
    found = find_action(name, catalogue)
    if isinstance(found, str):
        return ""
    form.actions.append(started(name, catalogue))
    return f"f-a{len(form.actions) - 1}-f-{found.fields[0].name}"
