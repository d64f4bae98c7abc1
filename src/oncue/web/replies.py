"""The screen: replies."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.web.access import route


def index(request: HttpRequest) -> HttpResponseBase:
    """The screen."""
    return render(request, "oncue/fault.html", {"title": "replies", "sentence": "Being built."})


ROUTES = [route("replies", index, "replies", see="viewer")]
