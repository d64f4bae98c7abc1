"""Checking the way back, and mending it: does a signed call arrive, and do people's messages come here?"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from oncue.core.adaptor import Adaptor
from oncue.core.probe import BAD, WARN
from oncue.store import adaptors
from oncue.web import adaptor_checks, adaptor_form
from oncue.web.access import who
from oncue.web.backstage import behind


def check(request: HttpRequest, adaptor: Adaptor) -> HttpResponseBase:
    """Make the call, and show where it stopped."""
    stored = adaptors.stored(adaptor.name, behind().vault)
    steps = adaptor_checks.way_back(adaptor, stored) if request.method == "POST" else ""
    if isinstance(steps, str):
        return redirect("adaptors-one", adaptor.name)
    way = {
        "steps": steps,
        "stopped": steps[-1] if steps[-1].tone == BAD else None,
        "odd": any(step.tone == WARN for step in steps),
    }
    if request.headers.get("HX-Request"):
        return render(request, "oncue/_adaptors_way.html", {"way": way, "adaptor": adaptor})
    return adaptor_form.show(request, adaptor, way=way)


def point(request: HttpRequest, adaptor: Adaptor) -> HttpResponseBase:
    """Have the provider send people's messages here, and look again where they go."""
    stored = adaptors.stored(adaptor.name, behind().vault)
    pointed = adaptor_checks.point_here(adaptor, stored, who(request)) if request.method == "POST" else ""
    if isinstance(pointed, str):
        return redirect("adaptors-one", adaptor.name)
    return redirect(f"/adaptors/{adaptor.name}?{urlencode({'said': pointed.sentence})}#callbacks")
