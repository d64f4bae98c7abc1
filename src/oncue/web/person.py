"""What a person is called, from the properties that apps usually send."""

from __future__ import annotations

from typing import Any

NAMES = ("name", "full_name", "first_name", "last_name")


def name_of(properties: dict[str, Any]) -> str:
    """What a person is called, if that is known."""
    whole = next((properties[name] for name in NAMES[:2] if isinstance(properties.get(name), str)), "")
    parts = [properties[name] for name in NAMES[2:] if isinstance(properties.get(name), str)]
    return whole or " ".join(parts)
