"""What can be kept of what comes in, by whatever door: texts, names of events and properties. Each check is a sentence, empty if all is well.

What is refused could not be kept everywhere (NUL, half a character, integers past 64 bits, deep nesting), or would hide something (names that
are oncue's own).
"""

from __future__ import annotations

import math
import re
from typing import Any

LONGEST_NAME = 200
"""Characters of a user's id, and of the name of an event or a property."""

MOST_DEPTH = 32

CONSENT_EVENTS = ("oncue.opted_in", "oncue.opted_out")
"""What an app may say of consent with an event, though its name begins like one of ours."""

BAD_TEXT = re.compile("[\x00\ud800-\udfff]")


def unfit_text(text: str, what: str) -> str:
    """Why it cannot be a user's id, or a name."""
    if not text.strip():
        return f"{what} must not be empty."
    if len(text) > LONGEST_NAME:
        return f"{what} is {len(text):,} characters long; the limit is {LONGEST_NAME}."
    if BAD_TEXT.search(text):
        return f"{what} holds a NUL character or half a character, which cannot be kept."
    return ""


def unfit_event_name(name: str, what: str, reserved: tuple[str, ...]) -> str:
    """Why an app's event cannot be called so; `reserved` are how names begin that are oncue's and the adaptors' own."""
    if said := unfit_text(name, what):
        return said
    if name.startswith(reserved) and name not in CONSENT_EVENTS:
        return f"The name {name!r} begins like one that oncue or an adaptor raises itself; choose another."
    return "" if name.isprintable() else f"{what} holds a character that cannot be seen."


def unfit_value(value: Any, what: str, depth: int = 1) -> str:
    """Why a value cannot be kept; `what` names it, and `depth` 1 is an event's or a user's properties as a whole."""
    kind = type(value)
    if kind is str:
        if BAD_TEXT.search(value):
            return f"{what} holds a NUL character or half a character, which cannot be kept."
    elif kind is int:
        if not -(2**63) <= value < 2**63:
            return f"{what} is an integer past 64 bits; send it as text."
    elif kind is float:
        if not math.isfinite(value):
            return f"{what} is not a finite number."
    elif kind is dict:
        return _unfit_map(value, what, depth)
    elif kind is list:
        if depth > MOST_DEPTH:
            return f"{what[:100]} nests deeper than {MOST_DEPTH}."
        for one in value:
            if said := unfit_value(one, what, depth + 1):
                return said
    return ""


def _unfit_map(value: dict[str, Any], what: str, depth: int) -> str:
    if depth > MOST_DEPTH:
        return f"{what[:100]} nests deeper than {MOST_DEPTH}."
    for name, one in value.items():
        if not 0 < len(name) <= LONGEST_NAME or BAD_TEXT.search(name):
            return f"{what[:100]} has a property whose name is empty, over {LONGEST_NAME} characters, or holds NUL."
        if depth == 1 and name.startswith("$"):
            return f"The property {name!r} begins with $, which is kept for the event's own fields; rename it."
        if said := unfit_value(one, f"{what}.{name}", depth + 1):
            return said
    return ""
