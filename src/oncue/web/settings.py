"""The screen: settings."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.web.access import route


def index(request: HttpRequest) -> HttpResponseBase:
    """The screen."""
    return render(request, "oncue/fault.html", {"title": "settings", "sentence": "Being built."})


ROUTES = [route("settings", index, "settings", see="viewer")]
