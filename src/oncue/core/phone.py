"""Phone numbers: into E.164, and the country they belong to. Read once for whoever asks: parsing one costs as much as matching a rule."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec
import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult


class Number(msgspec.Struct, frozen=True):
    """A number in E.164 and its country's ISO code, empty if unknown."""

    e164: str
    country: str
    is_possible: bool
    """Possible, not valid: numbering plans change faster than any copy of them, and the test numbers (+1 500 555 0006) are not valid.
    A number that works only within its area is "possible" to the library, but nobody can text it; nor an extension."""


_LETTER = re.compile(r"[^\W\d_]")

_NORTH_AMERICAN = re.compile(r"\+1([2-9][0-9]{9})")
"""Written in full, such a number can be read in one way only: parsing it would find the same, and take three times as long."""


@lru_cache(maxsize=20_000)
def read(text: str, country: str) -> Number | None:
    """The number; None if it is none. One in national form is read with the ISO code of a country, if that is given."""
    if _LETTER.search(text):
        return None
    whole = _NORTH_AMERICAN.fullmatch(text)
    try:
        parsed = (
            PhoneNumber(country_code=1, national_number=int(whole[1]))
            if whole
            else phonenumbers.parse(text, country or None)
        )
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    region = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )
    return Number(
        phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
        "" if region in ("ZZ", "001") else region,
        possible and not parsed.extension,
    )
