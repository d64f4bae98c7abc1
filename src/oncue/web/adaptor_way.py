"""Checking the way back, and mending it: does a signed call arrive, and do people's messages come here?"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from oncue.core.adaptor import Adaptor
from oncue.core.probe import BAD, WARN
from oncue.store import adaptors, configuring
from oncue.web import adaptor_form
from oncue.web.access import who
from oncue.web.adaptor_callbacks import calls, incoming
from oncue.web.backstage import behind


def check(request: HttpRequest, adaptor: Adaptor) -> HttpResponseBase:
    """Make the call, and show where it stopped."""
    stored = adaptors.stored(adaptor.name, behind().vault)
    if request.method != "POST" or not calls(adaptor, stored).can_check or stored is None:
        return redirect("adaptors-one", adaptor.name)
    steps = behind().probed(adaptor, stored.values)
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
    vault, url = behind().vault, incoming(adaptor)
    stored = adaptors.stored(adaptor.name, vault)
    if request.method != "POST" or not url or stored is None:
        return redirect("adaptors-one", adaptor.name)
    by = who(request)
    pointed = behind().pointed(adaptor, stored.values, url)
    checked = behind().checked(adaptor, stored.values)
    if checked and checked.ok:
        found = adaptor_form.kept(checked, stored)
        found["notes"] = [*found["notes"], *(note for note in pointed.notes if note not in found["notes"])]
        behind().change(lambda: configuring.learn(adaptor, found, by=by, note=pointed.sentence))
    return redirect(f"/adaptors/{adaptor.name}?{urlencode({'said': pointed.sentence})}#callbacks")
