"""The screen Events: everything that apps, providers and rules reported, as it comes in, and what is known of each name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode

from oncue.store import reading, volumes
from oncue.web import event, event_form
from oncue.web.access import route
from oncue.web.event_names import names, panel
from oncue.web.one_line import one_line

FILTERS = ("name", "user", "source")
MOST_ALIKE = 8
"""Names offered in place of one that was never seen."""


class Line(msgspec.Struct, frozen=True):
    """One event in the list: its row, and its properties in a line."""

    row: Mapping[str, Any]
    text: str


def index(request: HttpRequest) -> HttpResponseBase:
    """The list; for htmx only its rows."""
    wanted = {name: request.GET.get(name, "").strip() for name in FILTERS}
    given = {name: value for name, value in wanted.items() if value}
    before = request.GET.get("before", "")
    page = reading.events(
        limit=50,
        before=int(before) if before.isdecimal() else None,
        name=wanted["name"],
        user=wanted["user"],
        source=wanted["source"],
    )
    context = {
        "page": page,
        "shown": [Line(row, one_line(row["properties"])) for row in page.rows],
        "is_filtered": bool(given),
        "is_live": not before,
        "live_query": "?" + urlencode(given) if given else "",
    }
    if request.headers.get("HX-Request"):
        return render(request, "oncue/_events.html", context)
    known = volumes.names()
    more: dict[str, Any] = {"wanted": wanted, "known": known, "panel": None, "alike": []}
    if wanted["name"] in known:
        more["panel"] = panel(wanted["name"], request.GET.get("over", ""))
    elif wanted["name"]:
        more["alike"] = [one for one in known if wanted["name"].lower() in one.lower()][:MOST_ALIKE]
    return render(request, "oncue/events.html", {**context, **more})


ROUTES = [
    route("events", index, "events", see="viewer"),
    route("events/names", names, "events-names", see="viewer"),
    route("events/send", event_form.send, "events-send", see="editor", change="editor"),
    route("events/<str:id>", event.one, "events-one", see="viewer"),
]
