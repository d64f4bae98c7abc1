"""Phone numbers of recipients, and how fast a sender usually sends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType

from oncue.core import phone
from oncue.core.countries import code_of
from oncue.core.phone import Number

NORTH_AMERICA = "1"


def read(text: str, user: Mapping[str, Any]) -> Number | str:
    """The number, or a sentence. A number in national form is read with the user's `country` (ISO code or English name), if that is known."""
    text, country = text.strip(), code_of(user.get("country"))
    if not text.startswith("+") and not country:
        return (
            f"{text[:40]!r} is not a phone number with + and country code, for example +16175551212, and the user's country is not known;"
            " set the user property country to its ISO code, such as US."
        )
    number = phone.read(text, country)
    if number is None:
        return f"{text[:40]!r} is not a phone number."
    if not number.is_possible:
        return f"{text[:40]!r} is not a phone number that can exist: it is too long or too short for its country."
    return number


def fault(text: str) -> str:
    """What is wrong with a number, whoever's it is; empty if nothing is. In national form it depends on the user's country."""
    if not text.startswith("+") and re.search(r"\d", text) and not re.search(r"[^\W\d_]", text):
        return ""
    found = read(text, {"country": "US"})
    return found if isinstance(found, str) else ""


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
