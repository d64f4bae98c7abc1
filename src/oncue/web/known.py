"""Browsers that are known: one in which a member signed in keeps a sealed cookie that says whose it is, whatever becomes of the session.

It opens nothing. Attempts to sign in as that member are counted by it alone, so strangers who fail as that member keep nobody out.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from oncue.core import ids
from oncue.store.secrets import WrongKey
from oncue.web import site
from oncue.web.backstage import behind

COOKIE = "oncue_browser"

_KEPT_FOR = 400 * 86_400  # seconds; browsers keep no cookie longer


def known(request: HttpRequest, email: str) -> str:
    """The name of this browser if this member signed in with it before; else empty."""
    try:
        found = behind().vault.open(request.COOKIES.get(COOKIE, ""))
    except (WrongKey, ValueError):  # of another key, or made up
        return ""
    return str(found["browser"]) if found.get("member") == email else ""


def remember(response: HttpResponseBase, email: str) -> None:
    """From now on this browser is known as that member's, under a name that it never had."""
    sealed = behind().vault.close({"member": email, "browser": ids.new()})
    response.set_cookie(
        COOKIE, sealed, max_age=_KEPT_FOR, path="/sign-in", httponly=True, samesite="Lax", secure=site.is_secure()
    )
