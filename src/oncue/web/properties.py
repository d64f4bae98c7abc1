"""Properties as people type them: rows of a name, a type and a value, or JSON, and back; and what of them cannot be kept.

What apps may not send is refused here too: NUL, integers past 64 bits, nesting deeper than 32.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.http import QueryDict

from oncue.core.fields import as_text
from oncue.core.keeping import BAD_TEXT, LONGEST_NAME, unfit_value

KINDS = {"text": "Text", "number": "Number", "boolean": "Yes or no", "json": "List or map"}
MOST_BYTES = 30_000
MOST_ROWS = 200

_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class Line(msgspec.Struct, kw_only=True):
    """One property as its inputs hold it, and what is wrong with it."""

    name: str = ""
    kind: str = "text"
    value: str = ""
    fault: str = ""

    @property
    def is_blank(self) -> bool:
        """Nothing was filled in."""
        return not self.name.strip() and not self.value.strip()


class Wrong(Exception):
    """What is wrong, in a sentence."""


def kind_of(value: Any) -> str:
    """Which of `KINDS` a value is."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "json" if isinstance(value, dict | list) or value is None else "text"


def line_of(name: str, value: Any) -> Line:
    """A property as its inputs hold it."""
    kind = kind_of(value)
    return Line(name=name, kind=kind, value="null" if value is None else as_text(value))


def posted(post: QueryDict, prefix: str = "p") -> list[Line]:
    """The rows of a form, blank ones too."""
    lines = []
    for number in range(MOST_ROWS):
        if f"{prefix}-{number}-name" not in post:
            break
        name, kind, value = (post.get(f"{prefix}-{number}-{part}", "") for part in ("name", "kind", "value"))
        lines.append(Line(name=name.strip(), kind=kind if kind in KINDS else "text", value=value.replace("\r\n", "\n")))
    return lines


def read_lines(lines: Iterable[Line]) -> dict[str, Any] | None:
    """The properties; None if something is wrong, which is then said on its line."""
    found: dict[str, Any] = {}
    is_right = True
    for line in lines:
        if line.is_blank:
            continue
        try:
            if line.name in found:
                raise Wrong(f"There is a property named {line.name} already.")
            check_name(line.name)
            found[line.name] = read_value(line.kind, line.value)
        except Wrong as wrong:
            line.fault, is_right = str(wrong), False
    return found if is_right else None


def read_json(text: str) -> dict[str, Any]:
    """The properties of a JSON text. Raises `Wrong`."""
    if not text.strip():
        return {}
    found = _decoded(text)
    if not isinstance(found, dict):
        raise Wrong('Properties are a JSON object, such as {"amount": 12}.')
    for name in found:
        check_name(name)
    _check(found, "properties", 1)
    return found


def read_value(kind: str, text: str) -> Any:
    """What was typed, in its type. Raises `Wrong`."""
    stripped = text.strip()
    if kind == "number":
        if not _NUMBER.fullmatch(stripped):
            raise Wrong(f"{stripped[:40] or 'Nothing'} is not a number; write it like 12 or 12.5, or make it text.")
        value: Any = int(stripped) if _WHOLE.fullmatch(stripped) else float(stripped)
    elif kind == "boolean":
        if stripped.lower() not in ("true", "false", "yes", "no"):
            raise Wrong("Write true or false.")
        value = stripped.lower() in ("true", "yes")
    elif kind == "json":
        value = _decoded(stripped)
    else:
        value = text
    _check(value, "The value", 2)
    return value


def check_name(name: str) -> None:
    """Raises `Wrong` if a property may not be called so."""
    if not name:
        raise Wrong("The property needs a name.")
    if len(name) > LONGEST_NAME:
        raise Wrong(f"The name is {len(name)} characters long; the limit is {LONGEST_NAME}.")
    if name.startswith("$"):
        raise Wrong("A name that begins with $ is kept for the event's own fields; choose another.")
    if BAD_TEXT.search(name):
        raise Wrong("The name holds a NUL character or half a character, which cannot be kept.")


def check_size(properties: Mapping[str, Any]) -> None:
    """Raises `Wrong` if they are too much for one item."""
    size = len(msgspec.json.encode(properties))
    if size > MOST_BYTES:
        raise Wrong(f"Properties may take {MOST_BYTES:,} bytes together, and these take {size:,}.")


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Wrong(f"This is not JSON: {error}.") from None


def _check(value: Any, what: str, depth: int) -> None:
    if said := unfit_value(value, what, depth):
        raise Wrong(said)
