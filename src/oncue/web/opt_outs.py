"""The screen Opt-outs: numbers that want no messages from a sender, since when and how they said so, and what was lifted by whom."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.core import clock, phone
from oncue.store import optouts, phones, reading
from oncue.web import opt_out_change, opt_out_import
from oncue.web.access import route
from oncue.web.own_senders import blockers, home_country, own_senders

STATES = (("", "All"), ("active", "In force"), ("lifted", "Lifted"))


def index(request: HttpRequest) -> HttpResponseBase:
    """The list."""
    state, address, before = (request.GET.get(name, "").strip() for name in ("state", "address", "before"))
    page = reading.opt_outs(
        before=int(before) if before.isdecimal() else None,
        address=_final(address),
        state=state if state in ("active", "lifted") else "",
    )
    labels = {one.scope: one.label for one in own_senders() if one.label and one.label != one.scope}
    owners = phones.owners(row["address"] for row in page.rows)
    context = {
        "page": page,
        "shown": [
            {**row, "label": labels.get(row["scope"], ""), "user": owners.get(row["address"], "")} for row in page.rows
        ],
        "state": state,
        "states": STATES,
        "address": address,
        "is_filtered": bool(state or address),
        "is_first": not before,
        "blockers": blockers(),
    }
    return render(request, "oncue/opt_outs.html", context)


def export(request: HttpRequest) -> HttpResponseBase:
    """All rows as CSV, sent as they are read."""
    answer = StreamingHttpResponse(_pieces(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="opt-outs-{clock.iso(clock.now())[:10]}.csv"'
    # Not packed: Django's gzip makes each piece a file of its own, of which a browser keeps only the first.
    answer.headers["Content-Encoding"] = "identity"
    return answer


async def _pieces() -> AsyncIterator[str]:
    pieces = optouts.export()
    while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
        yield piece


def _final(address: str) -> str:
    """As the ledger has it, if it is a whole number; else as it is written."""
    if "@" in address:
        return address.lower()
    found = phone.read(address, home_country()) if address else None
    return found.e164 if found and found.is_possible else address


ROUTES = [
    route("opt-outs", index, "opt_outs", see="viewer"),
    route("opt-outs/add", opt_out_change.add, "opt_outs-add", see="editor", change="editor"),
    route("opt-outs/lift", opt_out_change.lift, "opt_outs-lift", see="editor", change="editor"),
    route("opt-outs/import", opt_out_import.show, "opt_outs-import", see="editor", change="editor"),
    route("opt-outs/export.csv", export, "opt_outs-export", see="viewer"),
]
