"""A test message to one's own phone: a real message, made by hand, with the same checks as any other."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from oncue.core import ids
from oncue.core.adaptor import Action, Adaptor
from oncue.core.fields import Fault
from oncue.store import adaptors
from oncue.store.adaptors import Stored
from oncue.web import adaptor_state, composing, forms, senders
from oncue.web.access import who
from oncue.web.backstage import behind

_PREFILLED = {
    "body": "This is a test from oncue.",
    "text": "This is a test from oncue.",
    "subject": "A test from oncue",
}
_FIRST = ("to", *_PREFILLED)
"""Fields that a test needs, whatever the adaptor, in this order; the rest stays under More settings."""


def trial(request: HttpRequest, adaptor: Adaptor) -> HttpResponseBase:
    """The form, and what comes of it: the message's page."""
    stored = adaptors.stored(adaptor.name, behind().vault)
    if stored is None:
        return redirect("adaptors-one", adaptor.name)
    action = _action(adaptor, request.GET.get("action", ""))
    if request.method != "POST":
        return _show(request, adaptor, action, stored, dict(_PREFILLED), (), ids.new())
    given = forms.given(action.fields, request.POST)
    form = request.POST.get("form", "")
    message = composing.composed(action, stored, given)
    if isinstance(message, list):
        return _show(request, adaptor, action, stored, given, message, form if ids.is_id(form) else ids.new(), 422)
    made = composing.send(f"{adaptor.name}.{action.name}", message, form, who(request))
    return redirect(f"/messages/{made}")


def _action(adaptor: Adaptor, name: str) -> Action:
    return adaptor.action(name) or adaptor.actions[0]


def _show(
    request: HttpRequest,
    adaptor: Adaptor,
    action: Action,
    stored: Stored,
    given: dict[str, Any],
    faults: list[Fault] | tuple[()],
    form: str,
    status: int = 200,
) -> HttpResponseBase:
    drawn = forms.inputs(action.fields, given, faults, options=senders.options(action.fields, stored.found))
    for one in drawn:
        if "{{" in one.placeholder:  # a rule fills it in; here somebody types
            one.placeholder = ""
    by_name = {one.name: one for one in drawn}
    required = [field.name for field in action.fields if field.required]
    first = [name for name in dict.fromkeys((*_FIRST, *required)) if name in by_name]
    more = [one for one in drawn if one.name not in first]
    context = {
        "adaptor": adaptor,
        "action": action,
        "state": adaptor_state.look(stored),
        "default_sender": stored.values.get("default_sender", ""),
        "inputs": [by_name[name] for name in first],
        "more": more,
        "more_open": any(one.fault or one.value for one in more),
        "rest": forms.rest(faults, action.fields),
        "form": form,
    }
    return render(request, "oncue/adaptors_test.html", context, status=status)
