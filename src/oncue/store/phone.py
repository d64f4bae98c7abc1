"""The phone number by which a user is found when they write to us."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import phonenumbers

from oncue.core.countries import code_of


def reachable_at(properties: Mapping[str, Any]) -> str:
    """The user's `phone_number` in E.164, read with their `country` if it has no country code; empty if there is none."""
    number = properties.get("phone_number")
    if not number:
        return ""
    return _e164(str(number), code_of(properties.get("country")) or None)


@lru_cache(maxsize=20_000)
def _e164(number: str, country: str | None) -> str:
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return ""
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
