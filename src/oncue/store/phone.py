"""The phone number by which a user is found when they write to us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncue.core import phone
from oncue.core.countries import code_of


def reachable_at(properties: Mapping[str, Any]) -> str:
    """The user's `phone_number` in E.164, read with their `country` if it has no country code; empty if there is none."""
    number = properties.get("phone_number")
    if not number or not isinstance(number, str | int):
        return ""
    if isinstance(number, str) and phone.is_whole(number):
        return number
    return phone.e164(str(number).strip(), code_of(properties.get("country")))
