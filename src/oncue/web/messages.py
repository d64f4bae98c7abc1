"""The screen Messages: the log of what was sent or not, with its filters in the address, live at the top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode

from oncue.core import clock
from oncue.store import reading
from oncue.web import message
from oncue.web.access import route
from oncue.web.backstage import behind
from oncue.web.telling import label_of, meaning, wording
from oncue.web.templatetags.shown import sentence

STATES = ("waiting", "submitting", "unknown", "rejected", "suppressed", "expired", "canceled")
SINCE = {"": "Any time", "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"}
_HOURS = {"1h": 1, "24h": 24, "7d": 7 * 24, "30d": 30 * 24}


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One filter as it is drawn."""

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...] = ()
    example: str = ""


class Line(msgspec.Struct, frozen=True):
    """One message in the list: its row, its adaptor's label, what it says, and why it is not delivered, if it is not."""

    row: dict[str, Any]
    adaptor: str
    text: str
    why: str


def index(request: HttpRequest) -> HttpResponseBase:
    """The list; for htmx only its rows."""
    wanted = {name: request.GET.get(name, "").strip() for name in ("status", "rule", "adaptor", "user", "to", "error", "since")}
    before = request.GET.get("before", "")
    page = read(wanted, int(before) if before.isdecimal() else None)
    given = {name: value for name, value in wanted.items() if value}
    context = {
        "page": page,
        "shown": [line(row) for row in page.rows],
        "is_filtered": bool(given),
        "is_live": not before,
        "live_query": "?" + urlencode(given) if given else "",
    }
    if request.headers.get("HX-Request"):
        return render(request, "oncue/_messages.html", context)
    return render(request, "oncue/messages.html", {**context, **_filters(wanted)})


def line(row: Mapping[str, Any]) -> Line:
    """A row as the list shows it."""
    snapshot = behind().snapshot
    code = row["error_code"]
    why = meaning(snapshot, row["adaptor"], code, row["error_message"]) if code else sentence(row["reason"])
    return Line(dict(row), label_of(snapshot, row["adaptor"]), wording(row["fields"])[:300], why)
