"""A user's data as a whole: all of it as a file, and its erasure, which an owner confirms by the user's id."""

from __future__ import annotations

import re

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from oncue.store import person
from oncue.store.refusal import Refused
from oncue.web.access import who
from oncue.web.backstage import behind
from oncue.web.user_address import address_of

KINDS = ("events", "messages", "attempts", "decisions", "replies", "consents")


def export(request: HttpRequest) -> HttpResponseBase:
    """All that is kept of the user, as JSON."""
    user = request.GET.get("user", "")
    found = person.everything(user) if user else None
    if found is None:
        raise Http404
    content = msgspec.json.format(msgspec.json.encode(found), indent=2)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", user)[:60]
    headers = {"Content-Disposition": f'attachment; filename="user-{name}.json"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/json; charset=utf-8", headers=headers)


def forget(request: HttpRequest) -> HttpResponseBase:
    """What would be erased; posted with the user's id typed in, it is."""
    user = person.whose(
        request.GET.get("user", "")
    )  # of the address when posted, too: a form would change a line break in it
    if request.method != "POST":
        return _shown(request, user)
    typed = request.POST.get("typed", "")
    if " ".join(typed.split()) != " ".join(user.split()):
        fault = "This is not the user's id." if typed else "Type the user's id."
        return _shown(request, user, fault)
    try:
        done = behind().do(person.Forget(user=user, by=who(request)))
    except Refused as refused:
        return _shown(request, user, str(refused))
    if done is None:
        raise Http404
    return redirect(f"{reverse('users')}?{urlencode({'said': 'The user is forgotten.'})}")


def _shown(request: HttpRequest, user: str, fault: str = "") -> HttpResponseBase:
    found = person.everything(user) if user else None
    if found is None:
        raise Http404
    context = {
        "id": user,
        "where": address_of(user),
        "counts": [(kind, len(found[kind])) for kind in KINDS if found[kind]],
        "opt_outs": len(found["opt_outs"]),
        "forgetful": [one.label for one in behind().catalogue.values() if one.redact],
        "fault": fault,
    }
    return render(request, "oncue/users_forget.html", context, status=422 if fault else 200)
