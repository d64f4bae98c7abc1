"""The policy: the hours in which people are left alone, and how many messages they get at most. Data, read from a form or a file."""

from __future__ import annotations

from typing import Any

import msgspec

from oncue.core.fields import Fault, Field, Kind, read
from oncue.core.message import Category
from oncue.rules.zones import zone_named

_TIME = r"\s*([01]?\d|2[0-3]):[0-5]\d\s*"
_CATEGORIES = tuple(one.value for one in Category)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """As saved; without a word from anybody, nobody gets an offer at night."""

    quiet_from: str = "21:00"
    """In the person's own time. The same as `quiet_to` is never quiet."""
    quiet_to: str = "08:00"
    quiet_categories: tuple[Category, ...] = (Category.PROMOTIONAL,)
    default_zone: str = "UTC"
    """For people whose zone neither they nor their number tell."""
    cap_messages: int = 0
    """To one person in `cap_days`, by whatever adaptor; 0 is no cap."""
    cap_days: int = 7
    cap_categories: tuple[Category, ...] = (Category.PROMOTIONAL,)


_DEFAULT = Policy()

FIELDS = (
    Field(
        name="quiet_from",
        label="Quiet from",
        help="When the quiet hours begin, in the person's own time. The same time as their end is never quiet.",
        default=_DEFAULT.quiet_from,
        pattern=_TIME,
        pattern_says="Quiet from is a time of day such as 21:00.",
        example="21:00",
    ),
    Field(
        name="quiet_to",
        label="Quiet to",
        help="When the quiet hours end. What is held back goes then, if it is still in time.",
        default=_DEFAULT.quiet_to,
        pattern=_TIME,
        pattern_says="Quiet to is a time of day such as 08:00.",
        example="08:00",
    ),
    Field(
        name="quiet_categories",
        label="Quiet for",
        help="Which messages respect the quiet hours. None, and nothing is held back.",
        kind=Kind.LIST,
        choices=_CATEGORIES,
    ),
    Field(
        name="default_zone",
        label="Default time zone",
        help="For people who have no property timezone, and whose number does not tell where they are.",
        default=_DEFAULT.default_zone,
        example="Europe/Dublin",
    ),
    Field(
        name="cap_messages",
        label="Most messages",
        help="How many messages one person gets at most in the days of the cap; 0 is no cap.",
        kind=Kind.INTEGER,
        default=_DEFAULT.cap_messages,
        minimum=0,
        maximum=1_000,
    ),
    Field(
        name="cap_days",
        label="In so many days",
        help="How long a message counts towards the cap.",
        kind=Kind.INTEGER,
        default=_DEFAULT.cap_days,
        minimum=1,
        maximum=30,
    ),
    Field(
        name="cap_categories",
        label="Cap for",
        help="Which messages count, and are held to the cap.",
        kind=Kind.LIST,
        choices=_CATEGORIES,
    ),
)
"""What a form asks, and the rules file's section `policy`."""


def read_values(given: dict[str, Any]) -> tuple[Policy, list[Fault]]:
    """The policy that these values make, and what is wrong with them. What is not given is the default; an empty list of categories is
    none of them, so a form whose boxes are all unticked must say `[]`."""
    values, faults = read(FIELDS, given)
    for name in ("quiet_from", "quiet_to"):
        if name in values:
            values[name] = values[name].strip().zfill(5)
    for name in ("quiet_categories", "cap_categories"):
        if name in given:
            values[name] = _categories(name, values.get(name, []), faults)
    if "default_zone" in values:
        zone = zone_named(values["default_zone"])
        if not zone:
            sentence = (
                f"There is no time zone {values['default_zone'][:60]!r}; give its IANA name, such as Europe/Dublin."
            )
            faults.append(Fault("default_zone", sentence))
        values["default_zone"] = zone
    return (_DEFAULT if faults else Policy(**values)), faults


def _categories(name: str, given: list[str], faults: list[Fault]) -> tuple[Category, ...]:
    unknown = [one for one in given if one not in _CATEGORIES]
    if unknown:
        label = next(field.label for field in FIELDS if field.name == name)
        faults.append(Fault(name, f"{label} lists {' and '.join(_CATEGORIES)}, or nothing; not {unknown[0][:60]!r}."))
    return tuple(one for one in Category if one in given)


def differing(before: Policy, after: Policy) -> list[str]:
    """Names of the fields that differ."""
    return [name for name in Policy.__struct_fields__ if getattr(before, name) != getattr(after, name)]
