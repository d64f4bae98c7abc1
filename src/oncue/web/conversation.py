"""One conversation: the texts to a person and their replies, who they are, and what a member may do about it."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from oncue.core import ids
from oncue.core.adaptor import Impossible, Preview
from oncue.core.message import State
from oncue.store import conversations, reading
from oncue.store.refusal import Refused
from oncue.store.timeline import Moment
from oncue.web import answering, talk
from oncue.web.access import may, who
from oncue.web.backstage import behind
from oncue.web.telling import standing, wording

_NOT_SENT = (State.REJECTED, State.SUPPRESSED, State.EXPIRED, State.CANCELED, State.WAITING, State.UNKNOWN)
_BAD = ("undelivered", "failed")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One bubble."""

    id: str
    at: int
    is_ours: bool
    text: str
    pictures: tuple[str, ...] = ()
    href: str = ""
    what: str = ""
    message: dict[str, Any] | None = None
    why: str = ""
    flag: str = ""
    consent: str = ""


def one(request: HttpRequest, address: str) -> HttpResponseBase:
    """The page, or with `part=talk` its bubbles."""
    if request.GET.get("part") == "talk":
        return render(request, "oncue/_reply_talk.html", {"address": address, **_talk(address)})
    return _show(request, address)


def answer(request: HttpRequest, address: str) -> HttpResponseBase:
    """Send what was written; what they wrote so far is handled thereby."""
    newest = _newest(address)
    way = answering.way_back(newest["adaptor"], address, newest["sender"])
    if request.method != "POST" or isinstance(way, str):
        return redirect("replies-one", address)
    form, body = request.POST.get("form", ""), request.POST.get("body", "").replace("\r\n", "\n")
    sent = answering.answer(way, body, form if ids.is_id(form) else ids.new(), who(request))
    if isinstance(sent, Impossible):
        return _show(request, address, status=422, body=body, answer_fault=sent.sentence, form=form)
    talk.handle(address, who(request))
    message = reading.message(sent)
    if message and message["state"] in (State.SUPPRESSED, State.REJECTED):
        return _said(address, standing(behind().snapshot, message))
    return _said(address, "Your answer is on its way.")


def count(request: HttpRequest, address: str) -> HttpResponseBase:
    """What the text that is being written takes."""
    newest = _newest(address)
    way = answering.way_back(newest["adaptor"], address, newest["sender"])
    preview = Preview() if isinstance(way, str) else answering.counted(way, request.GET.get("body", ""))
    return render(request, "oncue/_reply_count.html", {"preview": preview})


def handled(request: HttpRequest, address: str) -> HttpResponseBase:
    """Put aside what they wrote so far."""
    by = who(request) if request.method == "POST" else ""
    if by:
        talk.handle(address, by)
    return _said(address, "Marked as handled.") if by else redirect("replies-one", address)


def opt_out(request: HttpRequest, address: str) -> HttpResponseBase:
    """Opt the number out, since that is what they meant."""
    if request.method != "POST":
        return redirect("replies-one", address)
    newest, reason, by = _newest(address), request.POST.get("reason", "").strip(), who(request)
    try:
        talk.opt_out(newest, reason, by)
    except Refused as refused:
        return _show(request, address, status=422, reason=reason, reason_fault=str(refused))
    return _said(address, f"{address} gets no more messages from {newest['sender']}.")


def _said(address: str, sentence: str) -> HttpResponseBase:
    response = redirect("replies-one", address)
    response["Location"] += "?" + urlencode({"said": sentence})
    return response


def _newest(address: str) -> dict[str, Any]:
    found = talk.newest(address)
    if found is None:
        raise Http404
    return found


def _show(request: HttpRequest, address: str, status: int = 200, **more: Any) -> HttpResponseBase:
    newest = _newest(address)
    unhandled = conversations.unhandled(address)
    owner = talk.owner_of(newest)
    user = reading.user(owner) if owner else None
    way = answering.way_back(newest["adaptor"], address, newest["sender"])
    can_answer = may(request, "editor") and not isinstance(way, str)
    context = {
        "address": address,
        "newest": newest,
        "user": owner,
        "properties": (user or {}).get("properties") or {},
        "nobody": "" if owner else _nobody(newest),
        "consents": (user or {}).get("consents") or [],
        "opt_outs": talk.opt_outs_of(address),
        "flagged": next((one for one in unhandled if one["flag"]), None),
        "open_count": len(unhandled),
        "answer_refused": way if isinstance(way, str) else "",
        "answer_will": f"Goes from {newest['sender']}, now or when that number's turn comes, unless they opted out. What they wrote is then handled.",
        "preview": answering.counted(way, more.get("body", ""))
        if can_answer and not isinstance(way, str)
        else Preview(),
        **_talk(address),
        **more,
        "form": more.get("form") or ids.new(),
    }
    return render(request, "oncue/replies_one.html", context, status=status)


def _nobody(newest: dict[str, Any]) -> str:
    """Why the reply is nobody's, as it was found when it came."""
    why = conversations.unmatched(newest["event"]) or "no user has this number"
    return why[:1].upper() + why[1:] + "."


def _talk(address: str) -> dict[str, Any]:
    said = [_bubble(one) for one in talk.talk(address)]
    return {"talk": said, "older": len(said) >= talk.MOST}


def _bubble(moment: Moment) -> Said:
    row = moment.row
    if moment.kind == "message":
        return _text(row)
    return Said(
        id=row["event"],
        at=row["at"],
        is_ours=False,
        text=row["body"],
        flag=row["flag"],
        consent=row["consent"],
        href=f"/events/{row['event']}",
        what="event",
    )


def _text(row: dict[str, Any]) -> Said:
    snapshot = behind().snapshot
    is_bad = row["state"] in _NOT_SENT or row["carrier_status"] in _BAD
    return Said(
        id=row["id"],
        at=row["created_at"],
        is_ours=True,
        text=wording(row["fields"]),
        href=f"/messages/{row['id']}",
        what=row["rule"] or "by hand",
        message=row,
        why=standing(snapshot, row) if is_bad else "",
    )
