"""The account's own senders, as the check of its credentials found them: what a sender is picked from, wherever one is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from oncue.core.fields import Field

_ANY, _REST = "default_sender", "from"
"""Fields that take any sender, and those that take the ones that no field beside them asks for by their form."""

Option = tuple[str, str]


def options(fields: Sequence[Field], found: Mapping[str, Any]) -> dict[str, list[Option]]:
    """For each field that takes a sender: (value, label) of those that fit it. Fields for which there is none are left out."""
    senders = [(str(one["name"]), label(one)) for one in found.get("senders", []) if one.get("name")]
    picked: dict[str, list[Option]] = {}
    for field in fields:
        if field.pattern:
            picked[field.name] = [one for one in senders if re.fullmatch(field.pattern, one[0])]
    taken = {one for fitting in picked.values() for one in fitting}
    for field in fields:
        if field.name == _ANY:
            picked[field.name] = senders
        elif field.name == _REST:
            picked[field.name] = [one for one in senders if one not in taken]
    return {name: fitting for name, fitting in picked.items() if fitting}


def label(sender: Mapping[str, Any]) -> str:
    """What the account calls it, unless that is its number again."""
    named = str(sender.get("label") or "")
    return named if named != sender.get("name") else ""
