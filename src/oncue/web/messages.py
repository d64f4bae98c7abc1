"""The screen Messages: the log of what was sent or not, with its filters in the address, live at the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode

from oncue.core import clock, phone
from oncue.store import reading
from oncue.web import message_again
from oncue.web.access import route
from oncue.web.backstage import behind
from oncue.web.telling import label_of, meaning, wording
from oncue.web.templatetags.shown import sentence

STATES = ("waiting", "submitting", "unknown", "rejected", "suppressed", "expired", "canceled")
SINCE = {"": "Any time", "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"}
NAMES = ("status", "rule", "adaptor", "user", "to", "from", "country", "error", "since")
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
    wanted = {name: request.GET.get(name, "").strip() for name in NAMES}
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


def read(wanted: Mapping[str, str], before: int | None) -> reading.Page:
    """The page of messages that these filters let through."""
    hours = _HOURS.get(wanted["since"])
    status = wanted["status"]
    is_ours = status in STATES
    return reading.messages(
        before=before,
        user=wanted["user"],
        rule=wanted["rule"],
        adaptor=wanted["adaptor"],
        recipient=phone.e164(wanted["to"], "") or wanted["to"],
        sender=wanted["from"],
        country=wanted["country"].upper(),
        error_code=wanted["error"],
        state=status if is_ours else "",
        carrier_status="" if is_ours else status,
        since=clock.now() - hours * clock.HOUR if hours else None,
    )


def line(row: Mapping[str, Any]) -> Line:
    """A row as the list shows it."""
    snapshot = behind().snapshot
    code = row["error_code"]
    why = meaning(snapshot, row["adaptor"], code, row["error_message"]) if code else sentence(row["reason"])
    return Line(dict(row), label_of(snapshot, row["adaptor"]), wording(row["fields"])[:300], why)


def _filters(wanted: Mapping[str, str]) -> dict[str, list[Filter]]:
    snapshot = behind().snapshot
    ranked = {word: rank for adaptor in snapshot.catalogue.values() for word, rank in adaptor.statuses.items()}
    theirs = sorted(ranked.keys() - set(STATES), key=lambda word: -ranked[word])
    adaptors = [(name, one.label) for name, one in snapshot.catalogue.items() if not one.builtin]
    selects = [
        _select("status", "Status", wanted, [(word, word.replace("_", " ")) for word in (*theirs, *STATES)]),
        _select("rule", "Rule", wanted, [(key, key) for key in sorted(snapshot.states)]),
        _select("adaptor", "Adaptor", wanted, adaptors),
        Filter(name="since", label="Since", value=wanted["since"], options=tuple(SINCE.items())),
    ]
    texts = [
        Filter(name="user", label="User", value=wanted["user"], example="their id"),
        Filter(name="to", label="To", value=wanted["to"], example="number or address"),
        Filter(name="error", label="Error code", value=wanted["error"], example="30003"),
    ]
    for name, label in (("from", "From"), ("country", "Country")):  # come to from the overview
        if wanted[name]:
            texts.append(Filter(name=name, label=label, value=wanted[name]))
    return {"selects": selects, "texts": texts}


def _select(name: str, label: str, wanted: Mapping[str, str], options: Sequence[tuple[str, str]]) -> Filter:
    value = wanted[name]
    unlisted = [(value, value)] if value and value not in {one for one, _ in options} else []
    return Filter(name=name, label=label, value=value, options=(("", "Any"), *options, *unlisted))


ROUTES = [
    route("messages", index, "messages", see="viewer"),
    route("messages/<str:id>", message_again.one, "messages-one", see="viewer"),
    route("messages/<str:id>/resend", message_again.again, "messages-resend", see="viewer", change="editor"),
    route("messages/<str:id>/cancel", message_again.cancel, "messages-cancel", see="viewer", change="editor"),
]
