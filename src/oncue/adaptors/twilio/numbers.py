"""Phone numbers: into E.164, and the country they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from oncue.core.countries import code_of

NORTH_AMERICA = "1"


class Number(msgspec.Struct, frozen=True):
    """A number in E.164 and its country's ISO code, empty if unknown."""

    e164: str
    country: str


def read(text: str, user: Mapping[str, Any]) -> Number | str:
    """The number, or a sentence. A number in national form is read with the user's `country` (ISO code or English name), if that is known."""
    return _read(text.strip(), code_of(user.get("country")))


@lru_cache(maxsize=20_000)
def _read(text: str, country: str) -> Number | str:
    if not text.startswith("+") and not country:
        return (
            f"{text[:40]!r} is not a phone number with + and country code, for example +16175551212, and the user's country is not known;"
            " set the user property country to its ISO code, such as US."
        )
    if any(character.isalpha() for character in text):
        return f"{text[:40]!r} is not a phone number."
    try:
        parsed = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return f"{text[:40]!r} is not a phone number."
    # Possible, not valid: numbering plans change faster than any copy of them, and the test numbers (+1 500 555 0006) are not valid.
    # A number that works only within its area is "possible" to the library, but nobody can text it.
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE or parsed.extension:
        return f"{text[:40]!r} is not a phone number that can exist: it is too long or too short for its country."
    region = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )
    return Number(phonenumbers.format_number(parsed, PhoneNumberFormat.E164), "" if region in ("ZZ", "001") else region)


@lru_cache(maxsize=1_000)
def usual_rate(sender: str) -> float:
    """Messages a second that a sender may usually send: 1 for a North American number, 3 toll-free, 100 for a short code, 10 otherwise.

    Segments a second: twilio.com/docs/api/errors/30001.
    """
    if sender.isdigit():  # a short code
        return 100.0
    if not sender.startswith("+" + NORTH_AMERICA):
        return 10.0
    parsed = phonenumbers.parse(sender)
    return 3.0 if phonenumbers.number_type(parsed) == PhoneNumberType.TOLL_FREE else 1.0
