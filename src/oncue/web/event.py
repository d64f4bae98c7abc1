"""One event: what it carried, what each rule decided about it and why, and what came of it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.store.explain import Explanation, explain
from oncue.web.backstage import behind
from oncue.web.one_line import one_line
from oncue.web.telling import label_of, standing, wording

Row = dict[str, Any]


def one(request: HttpRequest, id: str) -> HttpResponseBase:
    """The page, or with `part=told` what of it changes."""
    found = explain(id)
    if found is None or found.event["id"] != id:
        raise Http404
    if request.GET.get("part") == "told":
        return render(request, "oncue/_event_told.html", _told(found))
    return render(request, "oncue/events_one.html", {**_about(found), **_told(found)})


def _about(found: Explanation) -> Row:
    """What never changes: the event itself."""
    event = found.event
    return {
        "event": event,
        "source": label_of(behind().snapshot, event["source"]),
        "properties": event["properties"] or {},
        "is_known": found.user is not None,
        "cause_message": found.cause["id"] if found.cause else "",
        "cause_event": event["cause"] if event["cause"] and not found.cause else "",
        "raw": event["raw"],
    }


def _told(found: Explanation) -> Row:
    """What came of it so far."""
    snapshot = behind().snapshot
    names = {one.spec.key: one.spec.name for one in snapshot.compiled.values()}
    after = [*found.caused, *(report for told in found.messages for report in told.reports)]
    return {
        "event": found.event,
        "decisions": [{**one, "name": names.get(one["rule"], one["rule"])} for one in found.decisions],
        "messages": [
            {
                "row": told.message,
                "label": label_of(snapshot, told.message["adaptor"]),
                "text": wording(told.message["fields"])[:300],
                "standing": standing(snapshot, told.message),
            }
            for told in found.messages
        ],
        "after": [{**one, "text": one_line(one["properties"])} for one in sorted(after, key=lambda one: one["seq"])],
    }
