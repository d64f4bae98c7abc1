"""The switch between Active and Inactive. Activating asks the provider first whether the credentials are still good."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import urlencode

from oncue.core.adaptor import Adaptor
from oncue.store import adaptors, configuring
from oncue.store.adaptors import ACTIVE, INACTIVE
from oncue.web import adaptor_form
from oncue.web.access import who
from oncue.web.adaptor_checks import kept
from oncue.web.backstage import behind


def set_state(request: HttpRequest, adaptor: Adaptor) -> HttpResponseBase:
    """Activate, if the provider still takes the credentials, or deactivate."""
    back = redirect("adaptors-one", adaptor.name)
    if request.method != "POST":
        return back
    vault, by = behind().vault, who(request)
    stored = adaptors.stored(adaptor.name, vault)
    if stored is None:
        return back
    if request.POST.get("state") != ACTIVE:
        behind().change(lambda: configuring.set_state(adaptor, vault, INACTIVE, by=by))
        held = adaptors.held(adaptor.name)
        one = held == 1
        rest = f" {held:,} message{'' if one else 's'} {'is' if one else 'are'} held." if held else ""
        return _said(request, adaptor, f"{adaptor.label} is inactive.{rest}")
    checked = behind().checked(adaptor, stored.values)
    if checked and not checked.ok:
        return adaptor_form.show(request, adaptor, refusal=checked.sentence, status=422)
    found = kept(checked, stored)
    behind().change(lambda: configuring.set_state(adaptor, vault, ACTIVE, by=by, found=found))
    return _said(request, adaptor, f"{adaptor.label} is active.")


def _said(request: HttpRequest, adaptor: Adaptor, sentence: str) -> HttpResponseBase:
    """Back to where the switch was, with what came of it."""
    place = "/adaptors" if request.POST.get("from") == "list" else f"/adaptors/{adaptor.name}"
    return redirect(f"{place}?{urlencode({'said': sentence})}")
