"""Settings, Members: invite colleagues, change what they may do, keep them out, and end their sessions. A link is shown once, to be sent by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from oncue.core import clock
from oncue.store import invitations, members, presence, sessions
from oncue.store.members import Refused
from oncue.web import member_links
from oncue.web.access import route, who
from oncue.web.backstage import behind
from oncue.web.sections import page

ROLES = {
    "viewer": "Looks at everything but members, keys and the audit trail; changes nothing.",
    "editor": "Makes and switches rules, answers people, lifts opt-outs.",
    "owner": "Everything: adaptors, members, keys, quiet hours, and what is told to whom.",
}


def index(request: HttpRequest) -> HttpResponseBase:
    """Everybody, invitations that nobody has used yet, and the form for one more."""
    if request.method != "POST":
        return _everybody(request)
    email, role, by = request.POST.get("email", "").strip(), request.POST.get("role", ""), who(request)
    try:
        token = behind().change(lambda: invitations.create(email, role, by))
    except Refused as refused:
        return _everybody(request, {"fault": str(refused), "given_email": email, "given_role": role}, 422)
    return _everybody(
        request, {"link": _link(request, token), "link_for": email.lower(), "lasts": _days(invitations.LASTS_FOR)}
    )


def withdraw(request: HttpRequest) -> HttpResponseBase:
    """An invitation's link works no more."""
    if request.method != "POST":
        return redirect("settings-members")
    email, by = request.POST.get("email", ""), who(request)
    is_gone = behind().change(lambda: invitations.revoke(email, by))
    return _back("settings-members", "The link works no more." if is_gone else "There is no such link any more.")


def one(request: HttpRequest, one: str) -> HttpResponseBase:
    """One member: their role, their sessions, and what can be done about them; posted, their new role."""
    if request.method != "POST":
        return _member(request, one)
    role, by = request.POST.get("role", ""), who(request)
    return _changed(
        request, one, lambda: members.set_role(one, role, by), "Their role is changed, from their next page on."
    )


def disable(request: HttpRequest, one: str) -> HttpResponseBase:
    """Keep a member out."""
    by = who(request)
    return _changed(request, one, lambda: members.disable(one, by), "They cannot sign in any more.")


def enable(request: HttpRequest, one: str) -> HttpResponseBase:
    """Let them in again."""
    by = who(request)
    return _changed(request, one, lambda: members.enable(one, by), "They can sign in again.")


def reset(request: HttpRequest, one: str) -> HttpResponseBase:
    """A link to choose a new password; where they are signed in they are signed out."""
    found, by = _existing(one), who(request)
    if request.method != "POST":
        return redirect("settings-members-one", one)

    token = member_links.new_password(found, by)
    lasts = _days(invitations.RESET_LASTS_FOR)
    return _member(request, one, {"link": _link(request, token), "link_for": found["email"], "lasts": lasts})


def end_sessions(request: HttpRequest, one: str) -> HttpResponseBase:
    """Sign a member out, of one session or of all."""
    session, by = request.POST.get("session", ""), who(request)

    def end() -> None:
        if session:
            sessions.revoke(one, session, by)
        else:
            sessions.revoke_all(one, by)

    return _changed(request, one, end, "They are signed out there." if session else "They are signed out everywhere.")


def _everybody(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponseBase:
    seen = presence.last_seen()
    found = [{**row, "seen_at": seen.get(row["id"])} for row in members.listed()]
    given = {"people": found, "pending": invitations.pending(), "roles": ROLES, "given_role": "editor"}
    return page(request, "members", given | (context or {}), status)


def _member(
    request: HttpRequest, one: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponseBase:
    given = {"person": _existing(one), "open": sessions.listed(one), "roles": ROLES, "mine": request.member["session"]}  # type: ignore[attr-defined]
    return page(request, "members_one", given | (context or {}), status)


def _changed(request: HttpRequest, one: str, change: Callable[[], None], said: str) -> HttpResponseBase:
    """Make the change and show the member again; a refusal is said in place."""
    _existing(one)
    if request.method != "POST":
        return redirect("settings-members-one", one)
    try:
        behind().change(change)
    except Refused as refused:
        return _member(request, one, {"fault": str(refused)}, 422)
    return _back("settings-members-one", said, one)


def _existing(one: str) -> dict[str, Any]:
    found = members.member(one)
    if found is None:
        raise Http404("There is no such member any more.")
    return found


def _link(request: HttpRequest, token: str) -> str:
    base = behind().public_url or request.build_absolute_uri("/").rstrip("/")
    return base + member_links.path_of(token)


def _days(lasts_for: int) -> str:
    days = lasts_for // clock.DAY
    return "a day" if days == 1 else f"{days} days"


def _back(name: str, said: str, *arguments: str) -> HttpResponseBase:
    return redirect(f"{reverse(name, args=arguments)}?{urlencode({'said': said})}")


ROUTES = [
    route("settings/members", index, "settings-members", see="owner", change="owner"),
    route("settings/members/withdraw", withdraw, "settings-members-withdraw", see="owner", change="owner"),
    route("settings/members/<str:one>", one, "settings-members-one", see="owner", change="owner"),
    route("settings/members/<str:one>/disable", disable, "settings-members-disable", see="owner", change="owner"),
    route("settings/members/<str:one>/enable", enable, "settings-members-enable", see="owner", change="owner"),
    route("settings/members/<str:one>/reset", reset, "settings-members-reset", see="owner", change="owner"),
    route(
        "settings/members/<str:one>/sessions", end_sessions, "settings-members-sessions", see="owner", change="owner"
    ),
]
