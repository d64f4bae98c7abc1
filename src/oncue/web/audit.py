"""Settings, Audit trail: who changed what, each with what differs between before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from oncue.core.fields import as_text
from oncue.store import members, trail
from oncue.store.rows import Row
from oncue.web.access import route
from oncue.web.sections import page

_MOST = 40
"""Differences of one entry that are shown."""


class Difference(msgspec.Struct, frozen=True):
    """One value that changed: where it stands, and what it was and is; None where there was or is none."""

    place: str
    before: str | None
    after: str | None


class Entry(msgspec.Struct, frozen=True):
    """One line of the trail."""

    row: Row
    differences: list[Difference]
    left_out: int


def index(request: HttpRequest) -> HttpResponseBase:
    """The trail, newest first."""
    kind, by, name = (request.GET.get(one, "").strip() for one in ("kind", "by", "name"))
    before = request.GET.get("before", "")
    found = trail.entries(kind=kind, by=by, name=name, before=int(before) if before.isdecimal() else None)
    people = [row["email"] for row in members.listed()]
    context = {
        "page": found,
        "entries": [_entry(row) for row in found.rows],
        "kinds": trail.KINDS,
        "people": people if not by or by in people else [*people, by],
        "kind": kind,
        "by": by,
        "name": name,
    }
    return page(request, "audit", context)


def differences(before: Any, after: Any) -> list[Difference]:
    """What differs between two plain values, leaf by leaf, in the order in which they have them."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    places = list(dict.fromkeys((*old, *new)))
    return [Difference(one, old.get(one), new.get(one)) for one in places if old.get(one) != new.get(one)]


def _entry(row: Row) -> Entry:
    found = differences(row["before"], row["after"])
    return Entry(row, found[:_MOST], max(0, len(found) - _MOST))


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """(where, as text) of each scalar; a list of scalars is one."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for number, one in enumerate(value, 1):
            yield from _leaves(one, f"{place} {number}".strip())
    elif isinstance(value, list):
        yield place, ", ".join(as_text(one) for one in value)
    elif value is not None:
        yield place, as_text(value)


ROUTES = [route("settings/audit", index, "settings-audit", see="owner")]
