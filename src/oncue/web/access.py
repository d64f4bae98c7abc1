"""Who may do what, in one place: every route says which role sees it and which changes things there, and a route that says nothing is closed.

A member's browser holds a random token in a cookie that scripts cannot read; the store holds its digest.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import urlencode

from oncue.core import clock
from oncue.core.items import Overloaded, StoreUnavailable
from oncue.store import progress, sessions
from oncue.web import site
from oncue.web.backstage import behind

COOKIE = "oncue_session"
ROLES = ("viewer", "editor", "owner")
"""Each may do what those before it may."""

ANYBODY = ""

_TOUCH_AFTER = 60 * clock.SECOND

View = Callable[..., HttpResponseBase]


def route(where: str, view: View, name: str, *, see: str, change: str | None = None) -> URLPattern:
    """A page: `see` is the role it takes to look at it (`ANYBODY` for none), `change` to POST to it; without `change` nobody may."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    guarded.roles = (see, change)  # type: ignore[attr-defined]
    return path(where, guarded, name=name)


class Access:
    """Middleware: who is asking, and may they?"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # How far the store had come before the page read anything: what came since is asked for as soon as the stream opens.
        member = _member(request)
        request.member, request.newest = member, progress.newest() if member else {}  # type: ignore[attr-defined]
        with timezone.override(_zone(member)):
            return self._get_response(request)

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> HttpResponseBase | None:
        return None if getattr(view, "is_for_programs", False) else self._ask(request, view)

    def _ask(self, request: HttpRequest, view: View) -> HttpResponseBase | None:
        try:
            request.get_host()  # a page elsewhere may give its own name our address, and read what its browser is shown
        except DisallowedHost:
            sentence = (
                "oncue is not known by the name in this address. Open it as localhost, or set ONCUE_PUBLIC_URL to the"
                " address that you use."
            )
            return HttpResponse(sentence, status=400, content_type="text/plain")
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponse("Pages are opened, and forms are posted.", status=405, content_type="text/plain")
        roles = getattr(view, "roles", None)
        if roles is None:
            return refused(request, "This page has no rule for who may see it.")
        see, change = roles
        if request.method in ("GET", "HEAD"):
            needed = see
        elif change is None:
            return HttpResponse("Nothing can be posted here.", status=405, content_type="text/plain")
        else:
            needed = change
        member = request.member  # type: ignore[attr-defined]
        if needed == ANYBODY or (member and ROLES.index(member["role"]) >= ROLES.index(needed)):
            return None
        if member:
            return refused(
                request,
                f"This takes the role {needed}; yours is {member['role']}. An owner can change it under Settings.",
            )
        return _to_sign_in(request)


def refused(request: HttpRequest, sentence: str) -> HttpResponse:
    """403, with the reason."""
    return render(request, "oncue/fault.html", {"title": "Not allowed", "sentence": sentence}, status=403)


def let_in(response: HttpResponseBase, token: str) -> None:
    """Give the browser its cookie."""
    response.set_cookie(COOKIE, token, max_age=90 * 86_400, httponly=True, samesite="Lax", secure=site.is_secure())


def may(request: HttpRequest, role: str) -> bool:
    """Whether the member may do what takes this role."""
    member = getattr(request, "member", None)
    return member is not None and ROLES.index(member["role"]) >= ROLES.index(role)


def who(request: HttpRequest) -> str:
    """The member's e-mail address, as the audit trail names them."""
    return str(request.member["email"])  # type: ignore[attr-defined]


def _member(request: HttpRequest) -> dict[str, Any] | None:
    token = request.COOKIES.get(COOKIE, "")
    found = sessions.find_session(token) if token else None
    if found and clock.now() - found["seen_at"] > _TOUCH_AFTER:
        with suppress(Overloaded, StoreUnavailable, TimeoutError):  # the next request notes it
            behind().change(lambda: sessions.touch(token, address_of(request)))
    return found


def address_of(request: HttpRequest) -> str:
    """Where the request came from, as far as the connection shows."""
    return str(request.META.get("REMOTE_ADDR") or "")


def _zone(member: dict[str, Any] | None) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(str(member["zone"] or "UTC") if member else "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """To the page that asks who they are, and back afterwards. htmx would swap that page into a corner of this one, so it is told to leave."""
    wanted = request.get_full_path() if request.method == "GET" and not request.headers.get("HX-Request") else "/"
    where = f"/sign-in?{urlencode({'next': wanted})}" if wanted != "/" else "/sign-in"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return redirect(where)
