"""The screen Settings: its sections, each with what it is set to now."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.store import alerts as alarms
from oncue.store import keys as stored_keys
from oncue.store import members as colleagues
from oncue.store.policy import read_policy
from oncue.store.retention import read_retention
from oncue.web import account, alerts, audit, keys, members, retention, sending
from oncue.web.access import may, route, who
from oncue.web.sections import sections_for


def index(request: HttpRequest) -> HttpResponseBase:
    """The sections that the member may see."""
    now = _now(request)
    shown = [(one, now.get(one.route, "")) for one in sections_for(request)]
    return render(request, "oncue/settings.html", {"shown": shown})


def _now(request: HttpRequest) -> dict[str, str]:
    """What each section is set to, in few words."""
    found = {"settings-account": who(request), "settings-sending": sending.in_short(read_policy())}
    if may(request, "owner"):
        people = [one for one in colleagues.listed() if one["disabled_at"] is None]
        found["settings-members"] = _count(len(people), "member")
        found["settings-keys"] = _count(len(stored_keys.names()), "key")
        found["settings-retention"] = retention.in_short(read_retention())
        found["settings-alerts"] = _count(len(alarms.open_ones()), "open alert")
    return found


def _count(count: int, word: str) -> str:
    return f"{count or 'No'} {word}{'' if count == 1 else 's'}"


ROUTES = [
    route("settings", index, "settings", see="viewer"),
    *account.ROUTES,
    *members.ROUTES,
    *keys.ROUTES,
    *sending.ROUTES,
    *retention.ROUTES,
    *alerts.ROUTES,
    *audit.ROUTES,
]
