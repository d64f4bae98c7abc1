"""A test event, sent by hand: it is taken in like any other, so rules that are on act on it, and messages are really sent.

The form holds an id, so that sending it twice is one event.
"""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from oncue.core import clock, ids
from oncue.core.adaptor import reserved
from oncue.core.items import EventItem, Key, Verdict
from oncue.core.keeping import CONSENT_EVENTS, unfit_event_name, unfit_text
from oncue.store import examples, search, volumes
from oncue.store.jobs import Intake
from oncue.web import properties
from oncue.web.backstage import behind
from oncue.web.event_names import rules_triggered
from oncue.web.properties import Line, Wrong

KEY = Key(id="test-event", name="test event")
BLANK = 2
"""Rows to write in, when there is nothing to show."""


class Form(msgspec.Struct, kw_only=True):
    """What was typed so far, and what is wrong with it."""

    id: str
    name: str = ""
    user: str = ""
    is_json: bool = False
    lines: list[Line] = []
    text: str = ""
    faults: dict[str, str] = {}


def send(request: HttpRequest) -> HttpResponseBase:
    """The form; posted with `act=send`, the event. Other acts change how the properties are written, and show that part anew."""
    if request.method != "POST":
        form = Form(id=ids.new(), name=request.GET.get("name", "").strip(), user=request.GET.get("user", "").strip())
        _fill(form)
        return _show(request, form, 200)
    form = _posted(request.POST)
    act = request.POST.get("act", "send")
    if act != "send":
        _change(form, act)
        return _show(request, form, 200)
    item = _read(form)
    if item is None:
        return _show(request, form, 422)
    (verdict,) = behind().do(Intake(KEY, [item]))
    return _sent(request, form, verdict)


def _sent(request: HttpRequest, form: Form, verdict: Verdict) -> HttpResponseBase:
    if verdict.error or not verdict.id:
        form.faults["name"] = verdict.error
        return _show(request, form, 422)
    said = "This form was sent before; here is its event." if verdict.duplicate else "The event is taken in."
    return redirect(f"{reverse('events-one', args=[verdict.id])}?{urlencode({'said': said})}")


def _show(request: HttpRequest, form: Form, status: int) -> HttpResponseBase:
    snapshot = behind().snapshot
    context: dict[str, Any] = {
        "form": form,
        "kinds": properties.KINDS.items(),
        "rules": rules_triggered(snapshot, form.name),
        "is_said": bool(form.name),
    }
    if request.headers.get("HX-Request"):
        return render(request, "oncue/_event_properties.html", context, status=status)
    context["known"] = [one for one in volumes.names() if not one.startswith(reserved(snapshot.catalogue))]
    context["people"] = [row["id"] for row in search.users(limit=10).rows]
    return render(request, "oncue/events_send.html", context, status=status)


def _posted(post: QueryDict) -> Form:
    form = Form(
        id=post.get("form", "")[:64] or ids.new(),
        name=post.get("name", "").strip(),
        user=post.get("user", "").strip(),
        is_json=post.get("as") == "json",
        text=post.get("json", ""),
        lines=properties.posted(post),
    )
    return form


def _change(form: Form, act: str) -> None:
    """`fill` from the newest of that name, `named` the same unless something was written, `add` a row, `json` or `rows`."""
    if act == "fill" or (act == "named" and all(line.is_blank for line in form.lines) and not form.text.strip()):
        _fill(form)
    elif act == "add":
        form.lines.append(Line())
    elif act == "json" and not form.is_json:
        found = properties.read_lines(form.lines)
        if found is not None:
            form.is_json, form.text = True, _written(found)
    elif act == "rows" and form.is_json:
        try:
            found = properties.read_json(form.text)
        except Wrong as wrong:
            form.faults["json"] = str(wrong)
        else:
            form.is_json, form.lines = False, [*(properties.line_of(*one) for one in found.items()), Line()]


def _fill(form: Form) -> None:
    is_sendable = form.name and not _wrong_name(form.name)
    newest = examples.newest_event(form.name) if is_sendable else None
    found = (newest["properties"] or {}) if newest else {}
    form.lines = (
        [*(properties.line_of(*one) for one in found.items()), Line()] if found else [Line() for _ in range(BLANK)]
    )
    form.text = _written(found) if found else ""


def _written(found: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _read(form: Form) -> EventItem | None:
    """The event, or None with what is wrong in the form."""
    found: dict[str, Any] | None = None
    try:
        found = properties.read_json(form.text) if form.is_json else properties.read_lines(form.lines)
        properties.check_size(found or {})
    except Wrong as wrong:
        form.faults["json"] = str(wrong)
    for field, sentence in (("name", _wrong_name(form.name)), ("user", _wrong_user(form.user))):
        if sentence:
            form.faults[field] = sentence
    if form.faults or found is None:
        return None
    if form.name in CONSENT_EVENTS and found.get("category", "promotional") not in ("promotional", "transactional"):
        form.faults["name"] = "With this event, the property category must be transactional or promotional."
        return None
    return EventItem(user=form.user, name=form.name, properties=found, timestamp=clock.now(), id=form.id)


def _wrong_name(name: str) -> str:
    if not name:
        return "The event needs a name."
    return unfit_event_name(name, "The name", reserved(behind().catalogue))


def _wrong_user(user: str) -> str:
    return unfit_text(user, "The id") if user else "Say which user it happened to."
