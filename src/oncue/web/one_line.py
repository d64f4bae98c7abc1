"""Properties in one line, for a list: `amount 12 · currency EUR`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncue.core.fields import as_text

LONGEST = 240
"""Characters of the line, and of the values in it together."""


_LAST = ("message_id", "trigger")
"""What says least of a status event."""


def one_line(properties: Mapping[str, Any] | None) -> str:
    """As much as there is room for, of those that hold something. Line breaks become spaces."""
    found: list[str] = []
    room = LONGEST
    given = properties or {}
    for name in sorted(given, key=lambda one: one in _LAST):
        value = given[name]
        if value in (None, "", [], {}):
            continue
        if room <= 0:
            found.append("…")
            break
        text = f"{name} {' '.join(as_text(value).split())}"
        found.append(text if len(text) <= room else text[: room - 1] + "…")
        room -= len(text)
    return " · ".join(found)
