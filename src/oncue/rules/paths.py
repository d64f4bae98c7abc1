"""Paths into an event and its user: `event.amount`, `event["a name"]`, `event.items[0].sku`, `event.$name`, `user.$id`.

The envelope stands under names with `$`, so that a property called `name` is never hidden.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from oncue.core import clock
from oncue.core.event import Event, User
from oncue.rules.names import there_is_no

ROOTS = ("event", "user")
ENVELOPE = {"event": ("$name", "$id", "$timestamp", "$source"), "user": ("$id",)}

PATH = re.compile(
    r"(event|user)((?:\.[A-Za-z_$][\w$-]*|\[\s*(?:\d+|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')\s*\])*)(?![\w$])"
)
_STEP = re.compile(r"\.([A-Za-z_$][\w$-]*)|\[\s*(?:(\d+)|\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')\s*\]")


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""There was no value. Not an error: shown as missing."""


class Path(msgspec.Struct, frozen=True):
    """A parsed path: its root and the steps from there."""

    text: str
    root: str
    steps: tuple[str | int, ...]

    def look_up(self, scope: dict[str, Any]) -> Any:
        """The value, or MISSING; a property set to null is missing too."""
        value: Any = scope[self.root]
        for step in self.steps:
            if isinstance(value, dict):
                value = value.get(step if isinstance(step, str) else str(step), MISSING)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return MISSING
        return MISSING if value is None else value


def parse_path(text: str) -> Path | str:
    """The path, or what is wrong with it, as a sentence."""
    found = PATH.fullmatch(text.strip())
    if not found:
        root = re.match(r"[\w$]*", text.strip())
        name = root[0] if root else ""
        if name and name not in ROOTS:
            return there_is_no("root", name, ROOTS) + " A path begins with event. or user."
        return f'{text!r} is not a path; write event.amount or event["a name with spaces"].'
    steps = tuple(_step(step) for step in _STEP.finditer(found[2]))
    if not steps:
        return f"{text!r} is a whole {found[1]}, not a value of it; write {found[1]}.some_property."
    first = steps[0]
    if isinstance(first, str) and first.startswith("$") and first not in ENVELOPE[found[1]]:
        return there_is_no(f"{found[1]} field", first, ENVELOPE[found[1]])
    return Path(text.strip(), found[1], steps)


def _step(found: re.Match[str]) -> str | int:
    if found[1] is not None:
        return found[1]
    if found[2] is not None:
        return int(found[2])
    quoted = found[3] if found[3] is not None else found[4]
    return re.sub(r"\\(.)", r"\1", quoted)


def scope_of(event: Event, user: User) -> dict[str, Any]:
    """What rules see: the properties, and the envelope under `$`."""
    envelope = {
        "$name": event.name,
        "$id": event.id,
        "$timestamp": clock.iso(event.timestamp),
        "$source": event.source,
    }
    return {
        "event": {**event.properties, **envelope},
        "user": {**user.properties, "$id": user.id},
    }
