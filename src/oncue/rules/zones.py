"""Time zones: whose clock a message is read by. The person's `timezone` if the app says it, else where their phone number is at home, else
the default.

A number may be at home in several zones (a mobile in Australia, an area code of North America that nobody has heard of): then all of them
are returned, and it is for the caller to disturb nobody in any of them. Names and countries' zones come from the `tzdata` package, so that they
are the same on a machine that has none; the zones of area codes come from `phonenumbers` (0.5 MB and 8 ms, once, when first asked).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import phonenumbers

_FAR = frozenset({"AS", "GU", "MP"})
"""Of North America's plan, but a day away. Their area codes are known: an unknown one is not theirs, and with them it would always be night."""


def zones_of(properties: Mapping[str, Any], recipient: str, country: str, default: str) -> tuple[str, ...]:
    """Every zone in which this person may be: IANA names, at least one. `country` is the ISO code of the recipient's country, if known."""
    said = zone_named(properties.get("timezone"))
    return (said,) if said else _zones_of_number(recipient, country) or (default,)


def zone_named(text: object) -> str:
    """The IANA zone of that name, in any case; empty if there is none."""
    return _names().get(text.strip().casefold(), "") if isinstance(text, str) else ""


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names = (files("tzdata") / "zones").read_text("ascii").split()
    return {name.casefold(): name for name in names if name != "Factory"}


@lru_cache(maxsize=1)
def _by_country() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in (files("tzdata.zoneinfo") / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return {country: tuple(zones) for country, zones in found.items()}


@lru_cache(maxsize=10_000)
def _zones_of_number(recipient: str, country: str) -> tuple[str, ...]:
    try:
        number = phonenumbers.parse(recipient)
    except phonenumbers.NumberParseException:
        return _by_country().get(country, ())
    region = phonenumbers.region_code_for_number(number)
    if region:
        home = _by_country().get(region, ())
    else:  # of a range that the library does not know: anywhere with this country code
        regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
        home = tuple(zone for one in regions if one not in _FAR for zone in _by_country().get(one, ()))
    near = _zones_of_area(number)
    # Both hold every zone it may be in; the library has Guernsey for Ireland, so a country of one zone speaks for itself.
    return home if len(home) == 1 or not near or 0 < len(home) < len(near) else near


def _zones_of_area(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    from phonenumbers import timezone  # its data is read when it is first needed

    return tuple(zone for zone in timezone.time_zones_for_number(number) if zone != timezone.UNKNOWN_TIMEZONE)
