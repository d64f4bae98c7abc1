"""Pages for when something is wrong: each says what happened and what to do."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

log = logging.getLogger("oncue.web")


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from a page of ours, or from one that is too old."""
    log.warning("a form was refused: %s", reason)
    sentence = (
        "This form was sent from another page, or from one opened before you signed in. Load the page again and repeat it."
        " Behind a proxy, ONCUE_PUBLIC_URL must be the address in your browser."
    )
    return render(request, "oncue/fault.html", {"title": "The form was refused", "sentence": sentence}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return render(
        request,
        "oncue/fault.html",
        {"title": "There is nothing here", "sentence": "The address is wrong, or what was here is gone."},
        status=404,
    )


def broken(request: HttpRequest) -> HttpResponse:
    """500."""
    sentence = "oncue failed to show this because of a fault of its own, which is in its log. Nothing you did was lost before it."
    return render(request, "oncue/fault.html", {"title": "A fault in oncue", "sentence": sentence}, status=500)
