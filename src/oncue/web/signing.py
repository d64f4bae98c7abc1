"""Signing in and out, and the links by which a member chooses a password."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from oncue.store import invitations, members, sessions, throttle
from oncue.web import access
from oncue.web.access import ANYBODY, route
from oncue.web.backstage import behind
from oncue.web.known import known, remember

WRONG = "No member has this e-mail address and password."


def sign_in(request: HttpRequest) -> HttpResponseBase:
    """The form, and what comes of it. A fault does not say whether the address is known."""
    wanted = _inside(request, request.POST.get("next") or request.GET.get("next") or "/")
    if request.method != "POST":
        return redirect(wanted) if request.member else _form(request, wanted, 200)  # type: ignore[attr-defined]
    email, password = request.POST.get("email", "").strip().lower(), request.POST.get("password", "")
    address, browser = access.address_of(request), known(request, email)
    wait = throttle.wait_for(email, address, browser)
    if wait:
        return _form(request, wanted, 429, f"Too many attempts. Try again in {wait} seconds.")
    member = members.authenticate(email, password)
    if member is None:
        behind().change(lambda: throttle.failed(email, address, browser))
        return _form(request, wanted, 422, WRONG)
    return _let_in(request, member["id"], wanted, email, member["rehashed"])


def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End this browser's session. A link alone, which any page may lead to, ends nothing."""
    if request.method != "POST":
        return redirect("overview")
    token = request.COOKIES.get(access.COOKIE, "")
    if token:
        behind().change(lambda: sessions.close_session(token))
    response = redirect("sign_in")
    response.delete_cookie(access.COOKIE)
    return response


def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """A link that works once: choose a password and be signed in."""
    found = invitations.find(token)
    if found is None:
        sentence = "This link has been used, or is too old. An owner can send you another; on the server: oncue member reset EMAIL."
        return render(
            request, "oncue/fault.html", {"title": "This link does not work", "sentence": sentence}, status=404
        )
    email = found["email"] or request.POST.get("email", "").strip().lower()
    if request.method != "POST":
        return render(request, "oncue/invitation.html", {"email": found["email"]})
    try:
        member = behind().change(lambda: invitations.take(token, request.POST.get("password", ""), email))
    except members.Refused as refused:
        context = {"email": found["email"], "given": email, "faults": str(refused).splitlines()}
        return render(request, "oncue/invitation.html", context, status=422)
    return _let_in(request, member, "/", email)


def _let_in(request: HttpRequest, member: str, wanted: str, email: str, rehashed: str = "") -> HttpResponseBase:
    agent, address = request.headers.get("User-Agent", "")[:200], access.address_of(request)
    browser = known(request, email)

    def enter() -> str:
        throttle.succeeded(email, address, browser)
        members.keep_hash(member, rehashed)
        return sessions.open_session(member, agent, address)

    token, response = behind().change(enter), redirect(wanted)
    remember(response, email)
    access.let_in(response, token)
    return response


def _form(request: HttpRequest, wanted: str, status: int, fault: str = "") -> HttpResponse:
    context = {"next": wanted, "fault": fault, "email": request.POST.get("email", "")}
    return render(request, "oncue/sign_in.html", context, status=status)


def _inside(request: HttpRequest, wanted: str) -> str:
    """Where to go afterwards, if it is a page of ours."""
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/"


ROUTES = [
    route("sign-in", sign_in, "sign_in", see=ANYBODY, change=ANYBODY),
    route("sign-out", sign_out, "sign_out", see="viewer", change="viewer"),
    route("invitation/<str:token>", invitation, "invitation", see=ANYBODY, change=ANYBODY),
]
