"""Field types: what an adaptor declares, once, for its configuration and its actions.

From a declaration come the form, the validation, the schema of the rules file, the reference docs and the redaction. Values
arrive as text (a form, a YAML scalar, a rendered template) or already typed (a template that is exactly one `{{ … }}`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec


class Kind(StrEnum):
    """The type a field's text is read as."""

    TEXT = "text"
    HTML = "html"  # text whose template escapes what it inserts
    SECRET = "secret"
    URL = "url"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"  # of texts
    MAP = "map"  # names to texts
    JSON = "json"  # any nesting of maps, lists and scalars, rendered leaf by leaf


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a form. `label` and `help` are what a person reads; `name` is its key in files and code."""

    name: str
    label: str
    help: str
    kind: Kind = Kind.TEXT
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    pattern_says: str = ""
    """The sentence shown when `pattern` does not match: what is wrong and what to do."""
    max_length: int = 0
    """In UTF-16 units for text (as carriers count), in items for a list."""
    minimum: float | None = None
    maximum: float | None = None
    example: str = ""

    @property
    def is_secret(self) -> bool:
        """Encrypted at rest, never shown again, redacted everywhere."""
        return self.kind is Kind.SECRET


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one field, in a sentence that says what to do."""

    field: str
    sentence: str


class _Invalid(Exception):
    pass


def read(fields: Sequence[Field], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Type the values of a form: (values with defaults filled in, faults). Absent optional fields are left out."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for field in fields:
        value = given.get(field.name)
        if value is None or value == "" or value == []:
            if field.required:
                faults.append(Fault(field.name, f"{field.label} is required."))
            elif field.default is not None:
                values[field.name] = field.default
            continue
        try:
            values[field.name] = read_one(field, value)
        except _Invalid as invalid:
            faults.append(Fault(field.name, str(invalid)))
    known = [field.name for field in fields]
    for name in given:
        if name not in known:
            faults.append(Fault(name, f"There is no field {name!r} here; there are: {', '.join(known)}."))
    return values, faults


def read_one(field: Field, value: Any) -> Any:
    """The value of one field in its type. Raises `_Invalid` with a sentence; use `read` for a form."""
    match field.kind:
        case Kind.TEXT:  # most are, and each comparison costs
            return _text(field, value)
        case Kind.INTEGER | Kind.NUMBER:
            return _within(field, _number(field, value))
        case Kind.BOOLEAN:
            return _boolean(field, value)
        case Kind.LIST:
            return _items(field, value)
        case Kind.MAP:
            if not isinstance(value, dict):
                raise _Invalid(f"{field.label} must be a map of names to values.")
            return {str(name): as_text(one) for name, one in value.items()}
        case Kind.JSON:
            return value
        case Kind.CHOICE:
            text = as_text(value).strip()
            if text not in field.choices:
                raise _Invalid(f"{field.label} must be one of {', '.join(field.choices)}, not {text!r}.")
            return text
        case _:
            return _text(field, value)


def as_text(value: Any) -> str:
    """A scalar as a person writes it: `true`, `12`, `12.5`, never Python's `True` or `12.0`."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return msgspec.json.encode(value).decode()


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units: what Twilio's 1,600 limit counts (an emoji is two or more)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _text(field: Field, value: Any) -> str:
    if isinstance(value, dict | list):
        raise _Invalid(f"{field.label} must be a text, not a {'map' if isinstance(value, dict) else 'list'}.")
    text = as_text(value)
    if field.kind is Kind.URL:
        text = text.strip()
        if not re.match(r"(?i)https?://[^\s/?#]+", text) or re.search(r"[\s\x00-\x1f]", text):
            raise _Invalid(
                f"{field.label} must be a web address that starts with http:// or https://, not {text[:100]!r}."
            )
    if field.pattern and not re.fullmatch(field.pattern, text):
        raise _Invalid(field.pattern_says or f"{field.label} does not have the right form.")
    if field.max_length and utf16_length(text) > field.max_length:
        raise _Invalid(f"{field.label} is {utf16_length(text)} characters long; the limit is {field.max_length}.")
    return text


def _number(field: Field, value: Any) -> int | float:
    if isinstance(value, bool):
        raise _Invalid(f"{field.label} must be a number, not {as_text(value)!r}.")
    text = as_text(value).strip()
    try:
        return int(text) if field.kind is Kind.INTEGER else float(text)
    except ValueError:
        kind = "whole number" if field.kind is Kind.INTEGER else "number"
        raise _Invalid(f"{field.label} must be a {kind}, not {text!r}.") from None


def _within(field: Field, number: int | float) -> int | float:
    low, high = field.minimum, field.maximum
    if (low is not None and number < low) or (high is not None and number > high) or number != number:
        if None not in (low, high):
            span = f"from {as_text(low)} to {as_text(high)}"
        else:
            span = f"at most {as_text(high)}" if low is None else f"at least {as_text(low)}"
        raise _Invalid(f"{field.label} must be {span}, not {as_text(number)}.")
    return number


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = as_text(value).strip().lower()
    if text in ("true", "yes", "on"):
        return True
    if text in ("false", "no", "off"):
        return False
    raise _Invalid(f"{field.label} must be true or false, not {text!r}.")


def _items(field: Field, value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    texts = [as_text(item) for item in items if as_text(item).strip()]
    if field.max_length and len(texts) > field.max_length:
        raise _Invalid(f"{field.label} has {len(texts)} entries; the limit is {field.max_length}.")
    return texts
