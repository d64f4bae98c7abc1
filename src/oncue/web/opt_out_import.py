"""Opt-outs from a CSV file: looked at first, with what is wrong on each line. A file only ever adds; nothing in it lifts one."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from oncue.store import optouts
from oncue.store.optouts import Entry
from oncue.web import upload
from oncue.web.access import who
from oncue.web.backstage import behind
from oncue.web.upload import Upload

BATCH = 1_000
"""Opt-outs in one transaction."""
SAMPLE, MOST_FAULTS = 5, 50


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the file."""

    file: Upload
    entries: list[Entry]
    faults: list[str]

    @property
    def sample(self) -> list[Entry]:
        """The first few."""
        return self.entries[:SAMPLE]

    @property
    def first_faults(self) -> list[str]:
        """As many as are shown."""
        return self.faults[:MOST_FAULTS]


def show(request: HttpRequest) -> HttpResponseBase:
    """The form; posted with `act=import`, the opt-outs are added; else the file is looked at."""
    if request.method != "POST":
        return render(request, "oncue/opt_outs_import.html", {})
    file = upload.received(request)
    if isinstance(file, str):
        return _answer(request, {"fault": file}, 422)
    try:
        entries, faults = optouts.read(file.content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _answer(request, {"fault": f"{file.name} is not in UTF-8; save it as “CSV UTF-8”."}, 422)
    look = Look(file=file, entries=entries, faults=faults)
    if request.POST.get("act") != "import":
        return _answer(request, {"look": look}, 200)
    if not upload.same(request, file):
        return _answer(
            request, {"look": look, "fault": "This is not the file that you looked at; look at it again."}, 422
        )
    news, by = 0, who(request)
    for start in range(0, len(entries), BATCH):
        batch = entries[start : start + BATCH]
        news += behind().change(lambda batch=batch: optouts.take_in(batch, by))  # type: ignore[misc]
    known = len(entries) - news
    said = f"{news:,} opt-out{'' if news == 1 else 's'} added." + (f" {known:,} were there already." if known else "")
    return redirect(f"{reverse('opt_outs')}?{urlencode({'said': said})}")


def _answer(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponseBase:
    template = "_opt_out_look" if request.headers.get("HX-Request") else "opt_outs_import"
    return render(request, f"oncue/{template}.html", context, status=status)
