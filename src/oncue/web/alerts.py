"""Settings, Alerts: what is wrong now and what was, who is told, and a test whether they are."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from oncue.store import alerting, alerts
from oncue.store.alerting import Alerting
from oncue.web.access import route, who
from oncue.web.alert_kinds import KINDS, raise_test
from oncue.web.backstage import behind
from oncue.web.sections import page


def index(request: HttpRequest) -> HttpResponseBase:
    """Alerts, and the form for who is told; for htmx only the open ones."""
    if request.headers.get("HX-Request"):
        return render(request, "oncue/_alerts_open.html", _open())
    if request.method != "POST":
        return _shown(request, alerting.read_alerting())
    emails, webhook = request.POST.get("emails", ""), request.POST.get("webhook_url", "")
    given, faults = alerting.read_values(emails, webhook)
    if faults:
        wrong = {fault.field: fault.sentence for fault in reversed(faults)}
        return _shown(request, given, {"emails": emails, "webhook_url": webhook, "wrong": wrong}, 422)
    by = who(request)
    is_new = behind().change(lambda: alerting.save_alerting(given, by))
    return _back("Saved." if is_new else "Nothing was changed.")


def test(request: HttpRequest) -> HttpResponseBase:
    """Raise an alert that says it is none."""
    if request.method != "POST":
        return redirect("settings-alerts")
    raise_test(who(request))
    return _back("A test alert is on its way; it is told within seconds.")


def _shown(
    request: HttpRequest, given: Alerting, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponseBase:
    before = request.GET.get("before", "")
    past = alerts.past(before=int(before) if before.isdecimal() else None)
    values: dict[str, Any] = {
        **_open(),
        "page": past,
        "past": [_named(row) for row in past.rows],
        "emails": "\n".join(given.emails),
        "webhook_url": given.webhook_url,
        "told": alerting.addresses(alerting.read_alerting()),
        "has_mail": behind().snapshot.active("email") is not None,
        "has_webhook": bool(alerting.read_alerting().webhook_url),
        "wrong": {},
    }
    return page(request, "alerts", values | (context or {}), status)


def _open() -> dict[str, Any]:
    found = [_named(row) for row in alerts.open_ones()]
    is_waiting = any(row["told_at"] is None for row in found)
    return {"open": found, "is_waiting": is_waiting, "problem": alerting.problem() if is_waiting else ""}


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "label": KINDS.get(row["kind"], row["kind"])}


def _back(said: str) -> HttpResponseBase:
    return redirect(f"{reverse('settings-alerts')}?{urlencode({'said': said})}")


ROUTES = [
    route("settings/alerts", index, "settings-alerts", see="owner", change="owner"),
    route("settings/alerts/test", test, "settings-alerts-test", see="owner", change="owner"),
]
