"""One user: what is known of them, what they said to messages, and what happened to them; and changing that by hand."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from oncue.core.keeping import unfit_text
from oncue.core.message import Category
from oncue.store import reading
from oncue.store.timeline import Moment, timeline
from oncue.store.user_edits import ChangeProperties, SayConsent
from oncue.web import properties
from oncue.web.access import may, who
from oncue.web.backstage import behind
from oncue.web.one_line import one_line
from oncue.web.person import name_of
from oncue.web.properties import Line, Wrong
from oncue.web.telling import label_of, wording
from oncue.web.user_address import address_of

Row = dict[str, Any]

SHOWN = 30
"""Events and messages on one page."""

LONGEST_REASON = 200


class Faulty(Exception):
    """What was posted cannot be done: what the page shows in place of it."""

    def __init__(self, **context: Any) -> None:
        super().__init__(*context.values())
        self.context = context


def one(request: HttpRequest, id: str) -> HttpResponseBase:
    """The page; with `part` one part of it. What is posted says in `act` what to change."""
    if request.method == "POST":
        try:
            said = _change(request, id)
        except Faulty as faulty:
            return render(request, "oncue/users_one.html", {**_context(request, id), **faulty.context}, status=422)
        return redirect(f"{address_of(id)}?{urlencode({'said': said})}")
    part = request.GET.get("part")
    if part is None and (found := reading.user(id)) and found["id"] != id:
        return redirect(address_of(found["id"]))
    if part == "timeline":
        return render(request, "oncue/_user_timeline.html", _happened(request, id))
    if part == "properties":
        return render(request, "oncue/_user_properties.html", _known(request, id))
    return render(request, "oncue/users_one.html", _context(request, id))


def _context(request: HttpRequest, id: str) -> Row:
    context = {**_known(request, id), **_happened(request, id)}
    if context["user"] is None and not context["moments"]:
        raise Http404
    return context


def _known(request: HttpRequest, id: str) -> Row:
    """What is known of them, and which property is being changed."""
    found = reading.user(id)
    given = (found["properties"] or {}) if found else {}
    said = {row["category"]: row for row in found["consents"]} if found else {}
    addresses = _addresses(found)
    wanted = request.GET.get("edit") if may(request, "editor") else None
    editing = None
    if wanted is not None:
        editing = properties.line_of(wanted, given[wanted]) if wanted in given else Line()
    return {
        "id": id,
        "where": address_of(id),
        "user": found,
        "name": name_of(given),
        "properties": given,
        "is_test": given.get("test_user") is True,
        "consents": [{"category": one.value, "said": said.get(one.value)} for one in Category],
        "addresses": addresses,
        "opt_outs": [
            row for address in addresses for row in reading.opt_outs(address=address).rows if row["address"] == address
        ],
        "editing": editing,
        "is_new": wanted not in given,
        "kinds": properties.KINDS.items(),
    }


def _addresses(found: Row | None) -> list[str]:
    """Their number and their e-mail address, as messages have them."""
    if not found:
        return []
    email = (found["properties"] or {}).get("email")
    return [one for one in (found["phone"], email.strip().lower() if isinstance(email, str) else "") if one]


def _happened(request: HttpRequest, id: str) -> Row:
    before = request.GET.get("before") or None
    try:
        found = timeline(id, limit=SHOWN, before=before)
    except ValueError:
        raise Http404 from None
    return {
        "id": id,
        "where": address_of(id),
        "moments": [_moment(one) for one in found.moments],
        "next_before": found.next_before,
        "is_newest": before is None,
    }


def _moment(moment: Moment) -> Row:
    row = moment.row
    if moment.kind == "event":
        return {"kind": "event", "at": moment.at, "row": row, "text": one_line(row["properties"])}
    label = label_of(behind().snapshot, row["adaptor"])
    return {"kind": "message", "at": moment.at, "row": row, "label": label, "text": wording(row["fields"])[:300]}


def _change(request: HttpRequest, id: str) -> str:
    """Do what was posted; the sentence to say. Raises `Faulty`."""
    if unfit_text(id, "The id"):
        raise Http404
    act = request.POST.get("act")
    if act == "property":
        return _change_property(request, id)
    if act == "remove":
        name = request.POST.get("name", "")
        behind().do(ChangeProperties(by=who(request), user=id, properties={name: None}))
        return f"The property {name} is removed."
    if act == "test":
        is_test = request.POST.get("value") == "true"
        behind().do(ChangeProperties(by=who(request), user=id, properties={"test_user": is_test}))
        return (
            "Rules in test act for this user from now on."
            if is_test
            else "Rules in test leave this user alone from now on."
        )
    if act == "consent":
        return _change_consent(request, id)
    raise Http404


def _change_property(request: HttpRequest, id: str) -> str:
    name = (request.POST.get("old") or request.POST.get("name", "")).strip()
    line = Line(
        name=name, kind=request.POST.get("kind", "text"), value=request.POST.get("value", "").replace("\r\n", "\n")
    )
    known = reading.user(id)
    given = (known["properties"] or {}) if known else {}
    try:
        properties.check_name(name)
        if not request.POST.get("old") and name in given:
            raise Wrong(f"There is a property {name} already; change that one.")
    except Wrong as wrong:
        raise Faulty(editing=line, is_new=True, name_fault=str(wrong)) from None
    try:
        value = properties.read_value(line.kind, line.value)
        if value is None:
            raise Wrong("null is no value; remove the property instead.")
        properties.check_size({**given, name: value})
    except Wrong as wrong:
        line.fault = str(wrong)
        raise Faulty(editing=line, is_new=not request.POST.get("old")) from None
    behind().do(ChangeProperties(by=who(request), user=id, properties={name: value}))
    return f"The property {name} is saved."


def _change_consent(request: HttpRequest, id: str) -> str:
    category, state = request.POST.get("category", ""), request.POST.get("state", "")
    reason = " ".join(request.POST.get("reason", "").replace("\0", "").split())[:LONGEST_REASON]
    if category not in list(Category) or state not in ("opted_in", "opted_out"):
        raise Http404
    if not reason:
        raise Faulty(
            consent_fault={
                "category": category,
                "state": state,
                "sentence": "Say how they said it; the reason is kept.",
            }
        )
    counts = behind().do(SayConsent(by=who(request), user=id, category=category, state=state, reason=reason))
    if not counts:
        return "Nothing is changed: what they said last is dated later than now."
    return f"It is recorded that they opted {'in to' if state == 'opted_in' else 'out of'} {category} messages."
