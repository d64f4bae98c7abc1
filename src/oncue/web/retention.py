"""Settings, Retention: how long messages and events are kept before oncue forgets them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from oncue.store.copies import MOST_COUNTED, waiting
from oncue.store.retention import SHORTEST, SHORTEST_BODIES, Retention, read_retention, read_values, save_retention
from oncue.web.access import route, who
from oncue.web.backstage import behind
from oncue.web.sections import page

LABELS = {
    "messages": (
        "Messages",
        "With their attempts and people's replies. One that waits or whose end nobody knows stays.",
    ),
    "exchanges": (
        "What was said to providers",
        "The request and the answer of each attempt; of the attempt itself, its outcome stays.",
    ),
    "bodies": (
        "Content",
        "What messages say: texts, subjects, pictures and replies are redacted, here and where a provider can do so; the rest of a message stays.",
    ),
    "events": ("Events", "With the decisions about them, and so why a message was sent or was not."),
}


def index(request: HttpRequest) -> HttpResponseBase:
    """What is kept how long, and the form that changes it."""
    if request.method != "POST":
        return _shown(request, msgspec.to_builtins(read_retention()), {})
    given = {name: request.POST.get(name, "").strip() for name in LABELS}
    retention, faults = read_values(given)
    if faults:
        return _shown(request, given, {fault.field: fault.sentence for fault in faults}, 422)
    by = who(request)
    is_new = behind().change(lambda: save_retention(retention, by))
    said = "Saved. What is older goes from now on, beginning within minutes." if is_new else "Nothing was changed."
    return redirect(f"{reverse('settings-retention')}?{urlencode({'said': said})}")


def in_short(retention: Retention) -> str:
    """For one line."""
    days = {name: getattr(retention, name) for name in LABELS}
    if not any(days.values()):
        return "Everything is kept"
    return "; ".join(f"{LABELS[name][0].lower()} {count} days" for name, count in days.items() if count).capitalize()


def _shown(
    request: HttpRequest, given: Mapping[str, object], wrong: dict[str, str], status: int = 200
) -> HttpResponseBase:
    fields = [
        {"name": name, "label": label, "help": text, "value": given[name] or "", "fault": wrong.get(name, "")}
        for name, (label, text) in LABELS.items()
    ]
    catalogue = behind().catalogue
    copies = sum(waiting(name) for name, one in catalogue.items() if one.redact)
    context = {
        "fields": fields,
        "shortest": SHORTEST,
        "shortest_bodies": SHORTEST_BODIES,
        "copies": f"{copies:,}" + (" or more" if copies >= MOST_COUNTED else "") if copies else "",
        "forgetful": [one.label for one in catalogue.values() if one.redact],
    }
    return page(request, "retention", context, status)


ROUTES = [route("settings/retention", index, "settings-retention", see="owner", change="owner")]
