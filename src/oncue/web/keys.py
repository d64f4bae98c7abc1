"""Settings, API keys: made, shown once, revoked."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from oncue.core.items import Source
from oncue.store import keys
from oncue.web.access import route, who
from oncue.web.backstage import behind
from oncue.web.sections import page
from oncue.web.snippets import LABELS, snippets

SCOPES = {
    keys.EVENTS: "Send events and users. For the apps whose users you message.",
    keys.READ: "Look at everything through the management API; change nothing.",
    keys.WRITE: "Change rules, messages, users, opt-outs and replies too.",
    keys.ADMIN: "Change adaptors, keys, members and quiet hours too, and read the audit trail.",
}


def index(request: HttpRequest) -> HttpResponseBase:
    """The keys, and the form for one more."""
    return _create(request) if request.method == "POST" else _shown(request, {"given_scopes": [keys.EVENTS]})


def revoke(request: HttpRequest, one: str) -> HttpResponseBase:
    """Have a key known no more."""
    if request.method != "POST":
        return redirect("settings-keys")
    by = who(request)
    is_gone = behind().change(lambda: keys.revoke(one, by))
    said = "The key is revoked." if is_gone else "There is no such key any more."
    return redirect(f"{reverse('settings-keys')}?{urlencode({'said': said})}")


def _create(request: HttpRequest) -> HttpResponseBase:
    name, scopes = request.POST.get("name", "").strip(), request.POST.getlist("scope")
    source, app, value = (request.POST.get(one, "").strip() for one in ("source", "app", "value"))
    source = source or Source.NATIVE
    given = {
        "given_name": name, "given_scopes": scopes, "given_per_second": request.POST.get("per_second", "").strip(),
        "given_source": source, "given_app": app, "given_value": value,
    }  # fmt: skip
    if source != Source.NATIVE:
        scopes = [keys.EVENTS]
    by, vault = who(request), behind().vault
    try:
        per_second = float(given["given_per_second"] or 0)  # type: ignore[arg-type]
    except ValueError:
        return _shown(request, given | {"fault": "The number of items a second is 0 (no limit) or more."}, 422)
    number = int(app) if source == Source.SWRVE and app.isascii() and app.isdigit() and len(app) < 16 else 0
    try:
        token = behind().change(
            lambda: keys.create(name, per_second, scopes, by, source=source, app=number, value=value, vault=vault)
        )
    except keys.Taken as taken:
        return _shown(request, given | {"fault": str(taken)}, 422)
    return _shown(
        request,
        {
            "given_scopes": [keys.EVENTS],
            "made": {
                "name": name,
                "token": token,
                "snippets": snippets(_base(request), token, source=source, app=number, scopes=scopes),
            },
        },
    )


def _shown(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponseBase:
    found = [{**row, "stops": _stops(row["scopes"])} for row in keys.listed()]
    context = {"keys": found, "scopes": SCOPES, "sources": LABELS, "given_source": Source.NATIVE, **context}
    return page(request, "keys", context, status)


def _stops(scopes: list[str]) -> str:
    """What works no more without such a key."""
    stops = []
    if keys.EVENTS in scopes:
        stops.append(
            "apps that send events with it are answered 401, and what they report is lost unless they send it again"
        )
    if {*scopes} - {keys.EVENTS}:
        stops.append("programs that manage oncue with it are refused")
    return " and ".join(stops)


def _base(request: HttpRequest) -> str:
    return behind().public_url or request.build_absolute_uri("/").rstrip("/")


ROUTES = [
    route("settings/keys", index, "settings-keys", see="owner", change="owner"),
    route("settings/keys/<str:one>/revoke", revoke, "settings-keys-revoke", see="owner", change="owner"),
]
