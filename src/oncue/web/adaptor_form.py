"""Configure: the fields as the adaptor declares them, and Save, which checks the credentials and makes the adaptor Active.

A secret never comes back to the browser; left empty, the saved one stays. What the check learned (the account's senders, what is odd about
it) is kept and shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from oncue.core.adaptor import Adaptor
from oncue.core.fields import Fault, Field, as_text
from oncue.store import adaptors, configuring
from oncue.store.adaptors import ACTIVE, INACTIVE, Stored
from oncue.web import adaptor_callbacks, adaptor_certainty, adaptor_state, forms, senders
from oncue.web.access import may, who
from oncue.web.adaptor_checks import kept
from oncue.web.backstage import behind

_FORGET = "forget."
"""Before the name of a secret that is to be emptied."""


def show(
    request: HttpRequest,
    adaptor: Adaptor,
    *,
    given: dict[str, Any] | None = None,
    faults: Sequence[Fault] = (),
    refusal: str = "",
    moved: str = "",
    way: Any = None,
    status: int = 200,
) -> HttpResponseBase:
    """The page. `given` is what was typed, `refusal` what the provider said to it, `moved` what emptied the secrets."""
    stored = adaptors.stored(adaptor.name, behind().vault)
    state = adaptor_state.look(stored)
    values = given if given is not None else (stored.values if stored else {})
    saved = [] if moved or not stored else [f.name for f in adaptor.config if f.is_secret and stored.values.get(f.name)]
    options = senders.options(adaptor.config, stored.found if stored else {})
    drawn = forms.inputs(adaptor.config, values, faults, saved=saved, options=options)
    first = {field.name for field in adaptor.config if field.required or field.name in options}
    more = [one for one in drawn if one.name not in first]
    defaults = {field.name: field.default for field in adaptor.config}
    waiting = adaptors.held(adaptor.name) if stored else 0
    context = {
        "adaptor": adaptor,
        "state": state,
        "stored": stored,
        "found": stored.found if stored else {},
        "can_configure": may(request, "owner"),
        "is_checked": adaptor.check is not None,
        "inputs": [one for one in drawn if one.name in first],
        "more": more,
        "more_open": any(one.fault or (values.get(one.name) not in (None, "", defaults[one.name])) for one in more),
        "rest": forms.rest(faults, adaptor.config),
        "refusal": refusal,
        "moved": moved,
        "facts": _facts(adaptor, stored),
        "waiting": waiting,
        "ask": adaptor_state.held_sentences(adaptor, state, waiting),
        "calls": adaptor_callbacks.calls(adaptor, stored),
        "way": way,
        "certainty": adaptor_certainty.look(adaptor) if stored else None,
    }
    return render(request, "oncue/adaptors_one.html", context, status=status)


def save(request: HttpRequest, adaptor: Adaptor) -> HttpResponseBase:
    """Save: with the provider's yes it becomes Active; without it only if that is what was asked for, and then it is Inactive."""
    vault, by = behind().vault, who(request)
    stored = adaptors.stored(adaptor.name, vault)
    given = forms.given(adaptor.config, request.POST)
    values, faults = _read(adaptor, stored, given, request.POST)
    moved = _moved(adaptor, stored, given)
    if faults:
        return show(request, adaptor, given=given, faults=faults, moved=moved, status=422)
    is_active = "inactive" not in request.POST
    checked = behind().checked(adaptor, values) if is_active else None
    if checked and not checked.ok:
        return show(request, adaptor, given=given, refusal=checked.sentence, moved=moved, status=422)
    state, found = (ACTIVE if is_active else INACTIVE), kept(checked, stored)
    behind().change(lambda: configuring.configure(adaptor, vault, values, state, by=by, found=found))
    sentence = f"{adaptor.label} is active." if is_active else f"Saved. {adaptor.label} is inactive."
    return redirect(f"/adaptors/{adaptor.name}?{urlencode({'said': sentence})}")


def _read(
    adaptor: Adaptor, stored: Stored | None, given: dict[str, Any], post: QueryDict
) -> tuple[dict[str, Any], list[Fault]]:
    """What is to be saved, saved secrets included."""
    secrets = adaptor.kept_secrets(stored.values, given) if stored else {}
    stays = {name: value for name, value in secrets.items() if _FORGET + name not in post}
    return adaptor.read_config({**given, **stays})


def _moved(adaptor: Adaptor, stored: Stored | None, given: dict[str, Any]) -> str:
    """The labels of fields whose change empties the saved secrets, if that is what happened."""
    if stored is None or adaptor.kept_secrets(stored.values, given) == adaptor.kept_secrets(
        stored.values, {**given, **{name: stored.values.get(name) for name in adaptor.clears_secrets}}
    ):
        return ""
    return " and ".join(field.label for field in adaptor.config if field.name in adaptor.clears_secrets)


def _facts(adaptor: Adaptor, stored: Stored | None) -> list[tuple[str, str]]:
    """What a member who may not configure sees."""
    if stored is None:
        return []
    return [
        (field.label, _shown(field, stored.values[field.name]))
        for field in adaptor.config
        if stored.values.get(field.name)
    ]


def _shown(field: Field, value: Any) -> str:
    return "saved" if field.is_secret else as_text(value)
