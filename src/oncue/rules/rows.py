"""Conditions as rows of a form (property, comparison, value), and back. What rows cannot show stays as text; nothing is lost either way.

A row remembers the text it was made of: one that nobody touched is written back letter for letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from oncue.rules.conditions import OPERATORS, parse
from oncue.rules.nodes import Tree, as_written
from oncue.rules.paths import PATH, parse_path

NEGATED = {"absent": "exists", "not_in": "in", "not_contains": "contains"}
"""Comparisons that a file writes as `not` and their opposite. They hold for a missing value too."""

COMPARISONS = {
    "==": "is",
    "!=": "is there and is not",
    ">": "is more than",
    ">=": "is at least",
    "<": "is less than",
    "<=": "is at most",
    "in": "is one of",
    "not_in": "is none of, or missing",
    "contains": "contains",
    "not_contains": "does not contain, or is missing",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "matches": "matches the pattern",
    "exists": "is there",
    "absent": "is missing",
}
"""Every comparison in words."""

_WITHOUT_VALUE = ("exists", "absent")
_AS_TEXT = ("contains", "not_contains", "starts_with", "ends_with", "matches")
"""Comparisons whose value is a text, even if it looks like a number."""

_OPERATOR = re.compile(r"\s*([=!<>]+|[A-Za-z_]+)\s*")
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_TOKEN = re.compile(rf"{_QUOTED}|[^\s,\]]+")
_ITEM = re.compile(rf"\s*({_QUOTED}|[^,]*?)\s*(?:,|$)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison. `value` is as a person types it: `IE`, `10`, `IE, GB`; in quotes if it would else be read as something other than text."""

    path: str
    operator: str
    value: str = ""
    written: str = ""
    """The text that it stood for in the file, if it stood there."""

    @property
    def is_blank(self) -> bool:
        """Nothing was filled in."""
        return not self.path.strip() and not self.value.strip()


class AnyOf(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of which one is enough."""

    rows: tuple[Row, ...]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that rows cannot show: as a file would say it, or as JSON if it nests."""

    text: str


Line = Row | AnyOf | Text


def to_lines(conditions: Iterable[Any]) -> list[Line]:
    """The conditions of a rule as lines of a form."""
    return [_line(one) for one in conditions]


def to_conditions(lines: Iterable[Line]) -> tuple[Any, ...]:
    """The conditions again. Lines that are blank should be taken out first (`filled`), or they come out as faulty conditions."""
    return tuple(_condition(one) for one in lines)


def filled(lines: Iterable[Line]) -> list[Line]:
    """The lines without those in which nothing was filled in."""
    kept: list[Line] = []
    for line in lines:
        match line:
            case Row():
                kept += [] if line.is_blank else [line]
            case Text(text=text):
                kept += [line] if text.strip() else []
            case AnyOf(rows=rows):
                some = tuple(row for row in rows if not row.is_blank)
                kept += [AnyOf(rows=some)] if some else []
    return kept


def _line(condition: Any) -> Line:
    row = _row(condition)
    if row:
        return row
    if isinstance(condition, dict) and condition.keys() == {"any"} and isinstance(condition["any"], list):
        rows = [_row(one) for one in condition["any"]]
        if rows and all(rows):
            return AnyOf(rows=tuple(one for one in rows if one))
    return Text(text=_written_out(condition))


def _row(condition: Any) -> Row | None:
    if isinstance(condition, str):
        return _compared(condition)
    if not isinstance(condition, dict) or condition.keys() != {"not"} or not isinstance(condition["not"], str):
        return None
    row = _compared(condition["not"])
    for name, opposite in NEGATED.items():
        if row and row.operator == opposite:
            return msgspec.structs.replace(row, operator=name)
    return None


def _compared(text: str) -> Row | None:
    """The row of a condition's text; None if the text is faulty, or has something that a line of a form cannot hold."""
    if _CONTROL.search(text) or isinstance(parse(text), list):
        return None
    stripped = text.strip()
    path = PATH.match(stripped)
    operator = _OPERATOR.match(stripped, path.end()) if path else None
    if not path or not operator:
        return None
    right = stripped[operator.end() :]
    return Row(path=path[0], operator=operator[1], value=_shown(operator[1], right), written=text)


def _shown(operator: str, right: str) -> str:
    if not right.startswith("["):
        return _shown_one(operator, right)
    items = [_shown_one("in", token) for token in _TOKEN.findall(right[1:])]
    # Three ways of being no list again: with nothing in it, or one item that is read as a path.
    return ", ".join(items) if items else right


def _shown_one(operator: str, token: str) -> str:
    if token[:1] not in ("'", '"'):
        return token
    text = re.sub(r"\\(.)", r"\1", token[1:-1])
    is_plain = text and text == text.strip() and "," not in text and "[" not in text
    return text if is_plain and _literal(operator, text) == _quote(text) else token


def _condition(line: Line) -> Any:
    match line:
        case Row():
            return _row_condition(line)
        case AnyOf(rows=rows):
            return {"any": [_row_condition(row) for row in rows]}
        case Text(text=text):
            return _read_out(text)


def _row_condition(row: Row) -> Any:
    operator = NEGATED.get(row.operator, row.operator)
    before = _compared(row.written) if row.written else None
    if before and (before.path, before.operator, before.value) == (row.path, operator, row.value):
        text = row.written
    elif operator in _WITHOUT_VALUE:
        text = f"{row.path.strip()} {operator}"
    else:
        text = f"{row.path.strip()} {operator} {_operand(operator, row.value.strip())}".strip()
    return {"not": text} if row.operator in NEGATED else text


def _operand(operator: str, value: str) -> str:
    if not value:
        return ""
    if operator != "in" or _is_path(value):
        return _literal(operator, value)
    if value.startswith("[") and value.endswith("]"):
        return value
    items = [found[1] for found in _ITEM.finditer(value) if found[1]]
    return f"[{', '.join(_literal(operator, one) for one in items)}]"


def _literal(operator: str, text: str) -> str:
    """What somebody typed, as the grammar writes it."""
    if re.fullmatch(_QUOTED, text) or _is_path(text):
        return text
    if operator not in _AS_TEXT and (text in ("true", "false") or _NUMBER.fullmatch(text)):
        return text
    return _quote(text)


def _is_path(text: str) -> bool:
    return bool(PATH.fullmatch(text)) and not isinstance(parse_path(text), str)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _written_out(condition: Any) -> str:
    """The text of a condition that is no row; JSON where plain text would not come back as it was."""
    if (
        condition
        and isinstance(condition, str)
        and _read_out(condition) == condition
        and not _CONTROL.search(condition)
    ):
        return condition
    return msgspec.json.encode(condition).decode()


def _read_out(text: str) -> Any:
    stripped = text.strip()
    if stripped[:1] not in ("{", "[", '"') and not re.match(r"(any|all|not)\s*:", stripped):
        return stripped
    try:
        return msgspec.json.decode(stripped)
    except msgspec.DecodeError:
        tree = Tree("condition")
        tree.read(stripped)
        return as_written(tree.content) if isinstance(tree.content, dict | list) and not tree.faults else stripped


assert set(COMPARISONS) - set(NEGATED) == set(OPERATORS)
