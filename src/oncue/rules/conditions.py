"""Conditions: `event.amount >= 10`, `user.country in ["IE", "GB"]`, `user.email exists`, nested with `all`, `any` and `not`.

Parsed once, when the rule is saved; evaluating one shows the value it saw. A comparison with a missing value does not hold, whichever way
it asks (`!=` too): nobody is texted because of something that is not known. `exists` and `not` are there to ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import re2

from oncue.core.fields import Fault, as_text
from oncue.rules.comparing import contains, equal, order
from oncue.rules.names import nearest
from oncue.rules.paths import MISSING, PATH, Path, parse_path
from oncue.rules.spec import Seen

Scope = dict[str, Any]
Condition = Callable[[Scope], Seen]

MOST_DEPTH = 10
_LONGEST = 2_000

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    ">": lambda left, right: order(left, right) == 1,
    ">=": lambda left, right: order(left, right) in (0, 1),
    "<": lambda left, right: order(left, right) == -1,
    "<=": lambda left, right: order(left, right) in (-1, 0),
    "contains": contains,
    "starts_with": lambda left, right: as_text(left).startswith(as_text(right)),
    "ends_with": lambda left, right: as_text(left).endswith(as_text(right)),
    "in": lambda left, right: isinstance(right, list) and any(equal(left, item) for item in right),
    "matches": lambda left, right: right.search(as_text(left)) is not None,
}
OPERATORS = (*_TESTS, "exists")

_OPERATOR = re.compile(r"\s*([=!<>]+|[A-Za-z_]+)\s*")
_TEXT = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class _Wrong(Exception):
    """What is wrong with a condition, as a sentence."""


def parse(given: Any, field: str = "conditions") -> Condition | list[Fault]:
    """A condition as written (a text, or a map with `all`, `any` or `not`), ready to evaluate, or all its faults."""
    faults: list[Fault] = []
    parsed = _parse(given, field, faults, 0)
    return faults if faults or parsed is None else parsed


def _parse(given: Any, field: str, faults: list[Fault], depth: int) -> Condition | None:
    if depth > MOST_DEPTH:
        faults.append(Fault(field, f"Conditions nest at most {MOST_DEPTH} deep."))
        return None
    if isinstance(given, dict):
        return _parse_map(given, field, faults, depth)
    if not isinstance(given, str):
        faults.append(Fault(field, "A condition is a text such as event.amount >= 10, or a map with all, any or not."))
        return None
    try:
        return _parse_text(given)
    except _Wrong as wrong:
        faults.append(Fault(field, str(wrong)))
        return None


def _parse_map(given: dict[str, Any], field: str, faults: list[Fault], depth: int) -> Condition | None:
    if len(given) != 1 or not given.keys() <= {"all", "any", "not"}:
        faults.append(
            Fault(
                field,
                f"A nested condition has exactly one of all, any and not, not {', '.join(map(str, given)) or 'nothing'}.",
            )
        )
        return None
    ((kind, inner),) = given.items()
    if kind == "not":
        part = _parse(inner, f"{field}.not", faults, depth + 1)
        return _not(part) if part else None
    if not isinstance(inner, list) or not inner:
        faults.append(Fault(f"{field}.{kind}", f"{kind} takes a list of conditions, at least one."))
        return None
    parts = [_parse(one, f"{field}.{kind}[{index}]", faults, depth + 1) for index, one in enumerate(inner)]
    if None in parts:
        return None
    return _combined(kind, [part for part in parts if part])


def _not(part: Condition) -> Condition:
    def evaluate(scope: Scope) -> Seen:
        seen = part(scope)
        return Seen(condition="not", held=not seen.held, parts=(seen,))

    return evaluate


def _combined(kind: str, parts: list[Condition]) -> Condition:
    holds = all if kind == "all" else any

    def evaluate(scope: Scope) -> Seen:
        seen = tuple(part(scope) for part in parts)  # every one, so that each is shown
        return Seen(condition=kind, held=holds(one.held for one in seen), parts=seen)

    return evaluate


def _parse_text(text: str) -> Condition:
    if len(text) > _LONGEST:
        raise _Wrong(f"A condition is at most {_LONGEST} characters long.")
    path, rest = _path(text)
    found = _OPERATOR.match(rest)
    if not found:
        raise _Wrong(f"{text!r} needs an operator after {path.text}: one of {', '.join(OPERATORS)}.")
    operator, right = found[1], rest[found.end() :]
    if operator == "=":
        raise _Wrong(f"{text!r}: to compare, write == (two equals signs).")
    if operator == "exists":
        if right.strip():
            raise _Wrong(f"{text!r}: nothing comes after exists.")
        return _exists(text, path)
    if operator not in _TESTS:
        close = nearest(operator, OPERATORS)
        raise _Wrong(
            f"{text!r}: there is no operator {operator!r}; "
            + (f"did you mean {close}?" if close else f"there are {', '.join(OPERATORS)}.")
        )
    return _comparison(text, path, operator, _operand(text, operator, right.strip()))


def _path(text: str) -> tuple[Path, str]:
    stripped = text.strip()
    found = PATH.match(stripped)
    if not found:
        parsed = parse_path(stripped.split(" ")[0])
        raise _Wrong(f"{text!r}: {parsed if isinstance(parsed, str) else 'begin with a path such as event.amount.'}")
    parsed = parse_path(found[0])
    if isinstance(parsed, str):
        raise _Wrong(parsed)
    return parsed, stripped[found.end() :]


def _operand(text: str, operator: str, right: str) -> Any:
    if not right:
        raise _Wrong(f"{text!r}: something must come after {operator}.")
    value, rest = _value(text, right)
    if rest.strip():
        raise _Wrong(
            f"{text!r}: I do not understand {rest.strip()!r} after the value; combine conditions with all, any and not."
        )
    if operator == "in" and not isinstance(value, list | Path):
        raise _Wrong(f'{text!r}: in takes a list, such as ["IE", "GB"].')
    if operator != "in" and isinstance(value, list):
        raise _Wrong(f"{text!r}: {operator} takes one value; for a list write in.")
    if operator == "matches":
        return _pattern(text, value)
    return value


def _pattern(text: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise _Wrong(f"{text!r}: matches takes a regular expression in quotes.")
    try:
        options = re2.Options()
        options.log_errors = False
        return re2.compile(value, options)
    except re2.error as error:
        what = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise _Wrong(f"{text!r}: {value!r} is not a regular expression that RE2 knows: {what}.") from None


_QUOTES = "\"'"


def _value(text: str, right: str) -> tuple[Any, str]:
    """(a literal or a path, what is left)."""
    if right.startswith("["):
        return _list(text, right)
    if found := _TEXT.match(right):
        quoted = found[1] if found[1] is not None else found[2]
        return re.sub(r"\\(.)", r"\1", quoted), right[found.end() :]
    if found := _NUMBER.match(right):
        return (int(found[0]) if re.fullmatch(r"[+-]?\d+", found[0]) else float(found[0])), right[found.end() :]
    if found := PATH.match(right):
        parsed = parse_path(found[0])
        if isinstance(parsed, str):
            raise _Wrong(parsed)
        return parsed, right[found.end() :]
    word = re.match(r"[^\s,\]]+", right)
    name = word[0] if word else right
    if name in ("true", "false"):
        return name == "true", right[len(name) :]
    if name == "null":
        raise _Wrong(f"{text!r}: ask for a missing value with exists, or {{not: … exists}}.")
    raise _Wrong(f'{text!r}: put quotes around text: "{name.strip(_QUOTES)}".')


def _list(text: str, right: str) -> tuple[list[Any], str]:
    values: list[Any] = []
    rest = right[1:].lstrip()
    while not rest.startswith("]"):
        if not rest:
            raise _Wrong(f"{text!r}: the list is not closed with ].")
        value, rest = _value(text, rest)
        if isinstance(value, list | Path):
            raise _Wrong(f"{text!r}: a list holds texts, numbers, true and false.")
        values.append(value)
        rest = rest.lstrip()
        if rest.startswith(","):
            rest = rest[1:].lstrip()
        elif not rest.startswith("]"):
            raise _Wrong(f"{text!r}: the list is not closed with ].")
    return values, rest[1:]


def _exists(text: str, path: Path) -> Condition:
    def evaluate(scope: Scope) -> Seen:
        value = path.look_up(scope)
        missing = value is MISSING
        return Seen(condition=text, held=not missing, seen=None if missing else value, missing=missing)

    return evaluate


def _comparison(text: str, path: Path, operator: str, right: Any) -> Condition:
    test = _TESTS[operator]
    other = right if isinstance(right, Path) else None

    def evaluate(scope: Scope) -> Seen:
        value = path.look_up(scope)
        if value is MISSING:
            return Seen(condition=text, held=False, missing=True)
        against = other.look_up(scope) if other else right
        if against is MISSING:
            return Seen(condition=text, held=False, seen=value, missing=True)
        return Seen(condition=text, held=test(value, against), seen=value)

    return evaluate


def to_text(seen: Seen) -> str:
    """A seen value on one line, for people."""
    return "missing" if seen.missing else msgspec.json.encode(seen.seen).decode()
