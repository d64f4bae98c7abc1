"""Phone numbers: into E.164, and the country they belong to."""

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


@lru_cache(maxsize=10_000)
def read(text: str, country: str) -> Number | None:
    """The number; None if it is none. One in national form is read with the ISO code of a country, if that is given."""
    if is_whole(text):
        return Number(text, _north_american(text[:8]), True)
    parsed = _parse(text, country)
    if parsed is None:
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    written = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    return Number(written, _country(parsed), possible and not parsed.extension)


@lru_cache(maxsize=10_000)
def _north_american(exchange: str) -> str:
    """The country of the numbers that begin so: it does not depend on the last four digits."""
    return _country(PhoneNumber(country_code=1, national_number=int(exchange[2:] + "0000")))


def _country(number: PhoneNumber) -> str:
    region = phonenumbers.region_code_for_number(number)
    region = region or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return "" if region in ("ZZ", "001") else region


@lru_cache(maxsize=10_000)
def e164(text: str, country: str) -> str:
    """The number alone; empty if it is none. A third of the work of `read`: every event may bring a number."""
    if is_whole(text):
        return text
    parsed = _parse(text, country)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if parsed else ""


def is_whole(text: str) -> bool:
    """Whether it is a North American number in E.164, which can be read in one way only."""
    return _NORTH_AMERICAN.fullmatch(text) is not None


_LETTER = re.compile(r"[^\W\d_]")

_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{9}")
"""Written in full, such a number can be read in one way only: parsing it would find the same, and take three times as long."""


def _parse(text: str, country: str) -> PhoneNumber | None:
    if _LETTER.search(text):
        return None
    try:
        parsed = phonenumbers.parse(text, country or None)
        # The library may take away one more zero, or a carrier's code: a number has one form, or a STOP would miss it.
        while (form := phonenumbers.format_number(parsed, PhoneNumberFormat.E164)) != text:
            extension, text = parsed.extension, form
            parsed = phonenumbers.parse(text)
            parsed.extension = extension
        return parsed
    except phonenumbers.NumberParseException:
        return None
