"""Settings, My account: one's own password, time zone, and the browsers that one is signed in with."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from oncue.rules.zones import zone_named
from oncue.store import members, sessions, throttle
from oncue.web.access import address_of, route, who
from oncue.web.backstage import behind
from oncue.web.sections import page
from oncue.web.zones import zone_names


def index(request: HttpRequest) -> HttpResponseBase:
    """All of it."""
    return _shown(request)


def password(request: HttpRequest) -> HttpResponseBase:
    """Choose another password: the one in use is asked for, and guessed at no faster than at the door."""
    if request.method != "POST":
        return redirect("settings-account")
    email, address, me = who(request), address_of(request), _me(request)
    wait = throttle.wait_for(
        email, address, me["session"]
    )  # by itself: strangers at the door keep nobody from changing it
    if wait:
        return _shown(request, {"wrong": f"Too many attempts. Try again in {wait} seconds."}, 429)
    if members.authenticate(email, request.POST.get("current", "")) is None:
        behind().change(lambda: throttle.failed(email, address, me["session"]))
        return _shown(request, {"wrong": "This is not the password you sign in with now."}, 422)
    try:
        hashed = members.password_hash(request.POST.get("password", ""), email)
    except members.Refused as refused:
        return _shown(request, {"faults": str(refused).splitlines()}, 422)

    def change() -> None:
        throttle.succeeded(email, address, me["session"])
        members.set_password(me["id"], hashed, email, keep_session=me["session"])

    behind().change(change)
    return _back("Your password is changed. Wherever else you were signed in, you are no more.")


def zone(request: HttpRequest) -> HttpResponseBase:
    """The time zone in which one sees times."""
    if request.method != "POST":
        return redirect("settings-account")
    given, me = request.POST.get("zone", "").strip(), _me(request)
    found = zone_named(given) if given else ""
    if given and not found:
        fault = f"There is no time zone {given[:60]!r}; give its IANA name, such as Europe/Dublin."
        return _shown(request, {"zone_fault": fault, "given_zone": given}, 422)
    behind().change(lambda: members.set_zone(me["id"], found))
    return _back(f"Times are shown in {found or 'UTC'} from now on.")


def end_sessions(request: HttpRequest) -> HttpResponseBase:
    """Sign out another browser, or all others."""
    if request.method != "POST":
        return redirect("settings-account")
    session, by, me = request.POST.get("session", ""), who(request), _me(request)

    def end() -> int:
        if session:
            return int(sessions.revoke(me["id"], session, by))
        return sessions.revoke_all(me["id"], by, keep=me["session"])

    count = behind().change(end)
    return _back(f"{count} session{'' if count == 1 else 's'} ended.")


def _shown(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponseBase:
    me = _me(request)
    given = {
        "open": sessions.listed(me["id"]),
        "mine": me["session"],
        "zones": zone_names(),
        "given_zone": me["zone"] or "",
    }
    return page(request, "account", given | (context or {}), status)


def _me(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.member  # type: ignore[attr-defined]
    return found


def _back(said: str) -> HttpResponseBase:
    return redirect(f"{reverse('settings-account')}?{urlencode({'said': said})}")


ROUTES = [
    route("settings/account", index, "settings-account", see="viewer"),
    route("settings/account/password", password, "settings-account-password", see="viewer", change="viewer"),
    route("settings/account/zone", zone, "settings-account-zone", see="viewer", change="viewer"),
    route("settings/account/sessions", end_sessions, "settings-account-sessions", see="viewer", change="viewer"),
]
