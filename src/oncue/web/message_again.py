"""What a member may still do about a message: send it again, or call off one that waits. Each with a reason, and told before what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from oncue.core.message import State, redacted_on
from oncue.store import resend
from oncue.store.call_off import call_off
from oncue.store.refusal import Refused
from oncue.web import message as page
from oncue.web.access import who
from oncue.web.backstage import behind

_NOT_YET = (State.WAITING, State.SUBMITTING)


def one(request: HttpRequest, id: str) -> HttpResponseBase:
    """The page of a message, or with `part=told` what of it changes."""
    if request.GET.get("part") == "told":
        return page.told(request, id)
    return _show(request, id, {}, 200)


def again(request: HttpRequest, id: str) -> HttpResponseBase:
    """Send it again: a copy, with a page of its own."""
    if request.method != "POST":
        return redirect("messages-one", id)
    given = request.POST
    number = given.get("number", "")
    job = resend.Resend(
        message=id,
        number=int(number) if number.isdecimal() else resend.MOST,
        by=who(request),
        reason=given.get("reason", ""),
        force=given.get("force") == "yes",
    )
    try:
        copy = behind().do(job)
    except Refused as refused:
        return _show(request, id, {"reason": job.reason, "resend_fault": str(refused), "force": job.force})
    return _to(copy, "This is the copy; it goes as soon as its turn comes.")


def cancel(request: HttpRequest, id: str) -> HttpResponseBase:
    """Call it off."""
    if request.method != "POST":
        return redirect("messages-one", id)
    by, reason = who(request), request.POST.get("reason", "")
    try:
        behind().change(lambda: call_off(id, by, reason))
    except Refused as refused:
        return _show(request, id, {"cancel_reason": reason, "cancel_fault": str(refused)})
    return _to(id, "Called off: it will not be sent.")


def offers(message: Mapping[str, Any]) -> dict[str, Any]:
    """What the page offers, and what it says before."""
    snapshot = behind().snapshot
    state, rule = State(message["state"]), message["rule"]
    hindered = resend.hindrance(state, message["carrier_status"])
    copies = resend.copies(message["id"])
    refused = ""
    if state in _NOT_YET:
        refused = hindered
    elif redacted_on(message["fields"]):
        refused = resend.REDACTED
    elif snapshot.is_stopped(rule):
        refused = f"The rule {rule} is off, so nothing of it is sent; turn it on first."
    elif message["adaptor"] not in snapshot.adaptors:
        refused = f"The adaptor {message['adaptor']} is not configured; configure it first."
    elif len(copies) >= resend.MOST:
        refused = f"It was sent again {resend.MOST} times; that is enough."
    to = message["recipient"] or "the same recipient"
    return {
        "can_cancel": state is State.WAITING,
        "copies": copies,
        "number": len(copies),
        "resend_refused": refused,
        "resend_hindered": hindered,
        "resend_will": f"A copy with the same content goes to {to}, if consent, opt-outs and the hour allow it. It has a page of its own.",
    }


def _show(request: HttpRequest, id: str, more: Mapping[str, Any], status: int = 422) -> HttpResponseBase:
    found = page.find(id)
    context = {**page.context(found), **offers(found.messages[0].message), **more}
    return render(request, "oncue/messages_one.html", context, status=status)


def _to(id: str, sentence: str) -> HttpResponseBase:
    response = redirect("messages-one", id)
    response["Location"] += "?" + urlencode({"said": sentence})
    return response
