"""Importing users from a CSV file.

A file says what people were like when it was written, so it never opts in anybody who has since opted out, and no rule is triggered by
it: an import is not something that a person did.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.core.keeping import LONGEST_NAME, unfit_value
from oncue.store import config, consent
from oncue.store.people import change_properties
from oncue.store.secrets import Vault
from oncue.store.unit import Unit

_BATCH = 500
_TRUE, _FALSE = ("true", "yes"), ("false", "no")


class Unreadable(Exception):
    """The file is not one that can be imported; the text says why."""


class Imported(msgspec.Struct, frozen=True):
    """How many users were taken in, and how many opt-ins were left out because the person had opted out."""

    users: int
    still_opted_out: int


Row = tuple[str, dict[str, Any]]


def read(path: Path) -> tuple[list[Row], list[str]]:
    """The rows of a CSV file, and a sentence for each that is wrong. Raises `Unreadable`.

    An empty cell says nothing. `true` and `false` become booleans; everything else stays text, so that `+353…` and `007` survive.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or []
            if "user" not in names:
                raise Unreadable(
                    f"{path} has no column `user`; its first line must name the columns, one of them `user`."
                )
            rows, faults = [], []
            for cells in reader:
                row = _row(cells)
                if isinstance(row, str):
                    faults.append(f"{path}:{reader.line_num}: {row}")
                else:
                    rows.append(row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} is not a CSV file in UTF-8: {error}.") from None
    return rows, faults


def _row(cells: dict[str, Any]) -> Row | str:
    if None in cells or None in cells.values():
        return "this line does not have as many cells as the first one."
    user = cells.pop("user").strip()
    if not user or len(user) > LONGEST_NAME:
        return f"the cell `user` must hold an id of 1 to {LONGEST_NAME} characters."
    if any("\0" in value for value in (user, *cells.values())):
        return "a cell holds a NUL character."
    properties = {name: _value(value) for name, value in cells.items() if value != ""}
    return unfit_value(properties, "this line") or (user, properties)


def _value(text: str) -> Any:
    lower = text.strip().lower()
    return True if lower in _TRUE else False if lower in _FALSE else text


def take(
    catalogue: Mapping[str, Adaptor],
    vault: Vault,
    rows: Sequence[Row],
    source: str,
    progress: Callable[[int], None] = lambda count: None,
) -> Imported:
    """Take the users in, a batch a transaction; doing it twice changes nothing."""
    snapshot = config.load(catalogue, vault)
    still_opted_out = 0
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        with transaction.atomic():
            unit = Unit(snapshot, clock.now(), "", set())
            users = [user for user, _ in batch]
            unit.load_users(users)
            unit.load_consents(users)
            for user, properties in batch:
                still_opted_out += take_one(unit, user, dict(properties), source)
            unit.flush()
        progress(len(batch))
    return Imported(len(rows), still_opted_out)


def take_one(unit: Unit, user: str, properties: dict[str, Any], source: str) -> int:
    """Take one user in, whose row and consents are loaded. Returns how many opt-ins were left out, since they had opted out."""
    left_out = 0
    for name, category in consent.PROPERTIES.items():
        said = unit.consents.get((user, category))
        if properties.get(name) is True and said and said[0] == consent.OPTED_OUT:
            del properties[name]
            left_out += 1
    change_properties(unit, unit.users[user], properties, unit.now, f"import of {source}")
    return left_out
