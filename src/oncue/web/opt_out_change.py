"""One opt-out, added because a person asked for it in some other way than by replying STOP, or lifted because they took it back."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from oncue.core import phone
from oncue.store import optouts, reading
from oncue.store.refusal import Refused
from oncue.web.access import who
from oncue.web.backstage import behind
from oncue.web.own_senders import blockers, home_country, own_senders

EVERY = "*"
"""Stands for every sender of ours."""


def add(request: HttpRequest) -> HttpResponseBase:
    """The form, and what comes of it."""
    senders = own_senders()
    given = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {name: given.get(name, "").strip() for name in ("address", "scope", "reason")}
    context |= {"senders": senders, "every": EVERY if len(senders) > 1 else ""}
    if request.method != "POST":
        return render(request, "oncue/opt_outs_add.html", context)
    scopes = [one.scope for one in senders] if context["scope"] == EVERY else [context["scope"]]
    faults = {"scope": "" if context["scope"] else "Say which sender they want no messages from."}
    faults["reason"] = "" if context["reason"] else "Say how they said it; the reason is kept."
    news: list[bool] = []
    if not any(faults.values()):
        address, by, reason = _whole(context["address"]), who(request), context["reason"]
        try:
            news = behind().change(lambda: [optouts.add(address, scope, by, reason) for scope in scopes])
        except Refused as refused:
            faults["address"] = str(refused)
    if any(faults.values()):
        return render(request, "oncue/opt_outs_add.html", {**context, "faults": faults}, status=422)
    said = "They get no more messages from there." if any(news) else "They had opted out already."
    return redirect(f"{reverse('opt_outs')}?{urlencode({'said': said})}")


def lift(request: HttpRequest) -> HttpResponseBase:
    """The form for one opt-out in force, and what comes of it."""
    given = request.POST if request.method == "POST" else request.GET
    address, scope, reason = (given.get(name, "") for name in ("address", "scope", "reason"))
    found = next(
        (row for row in reading.opt_outs(address=address).rows if (row["address"], row["scope"]) == (address, scope)),
        None,
    )
    if found is None:
        raise Http404
    context = {"one": found, "reason": reason, "blockers": blockers()}
    if request.method != "POST":
        return render(request, "oncue/opt_outs_lift.html", context)
    try:
        by = who(request)
        behind().change(lambda: optouts.lift(address, scope, by, reason))
    except Refused as refused:
        return render(request, "oncue/opt_outs_lift.html", {**context, "fault": str(refused)}, status=422)
    said = f"{address} can be sent messages from {scope} again."
    return redirect(f"{reverse('opt_outs')}?{urlencode({'said': said})}")


def _whole(address: str) -> str:
    """With its country code, if it was left out."""
    found = phone.read(address, home_country()) if "@" not in address and len(address) <= 50 else None
    return found.e164 if found and found.is_possible else address
