"""Pages for when something is wrong: each says what happened and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.core.items import Overloaded, StoreUnavailable

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


class Unavailable:
    """Middleware: what a page could not change because the store did not take it is answered 503, with when to come back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        match error:
            case Overloaded():
                said = "oncue is taking in as much as it can, and had no room for this. Nothing of it was saved. Go back and try again in a moment."
                return _unavailable(request, "Too busy", said, round(error.after))
            case StoreUnavailable():
                log.error("the store did not take a change: %s", error)
                said = "oncue cannot write to its disk at the moment. Nothing of this was saved. Its log says why; go back and try again."
                return _unavailable(request, "Nothing was saved", said, 5)
            case TimeoutError():
                log.error("%s %s took too long", request.method, request.path)
                said = "oncue waited for this as long as it could. It may yet be done: look whether it was before you repeat it."
                return _unavailable(request, "It took too long", said, 5)
        return None


def _unavailable(request: HttpRequest, title: str, sentence: str, after: int) -> HttpResponse:
    response = render(request, "oncue/fault.html", {"title": title, "sentence": sentence}, status=503)
    response.headers["Retry-After"] = str(max(1, after))
    response._has_been_logged = True  # type: ignore[attr-defined] # Django would say so again
    return response
