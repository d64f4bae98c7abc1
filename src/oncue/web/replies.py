"""The screen Replies: what people wrote back, by person; one conversation at a time is read, answered and put aside."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.store import conversations
from oncue.web import conversation
from oncue.web.access import route

SHOWS = (("open", "Open"), ("flagged", "Reads like an opt-out"), ("all", "All"))


def index(request: HttpRequest) -> HttpResponseBase:
    """The people; for htmx only the rows."""
    wanted = request.GET.get("show", "")
    show = wanted if wanted in dict(SHOWS) else "open"
    before = request.GET.get("before", "")
    page = conversations.people(show=show, before=int(before) if before.isdecimal() else None)
    context = {"page": page, "shown": page.rows, "show": show, "shows": SHOWS, "is_live": not before}
    template = "_replies" if request.headers.get("HX-Request") else "replies"
    return render(request, f"oncue/{template}.html", context)


ROUTES = [
    route("replies", index, "replies", see="viewer"),
    route("replies/<str:address>", conversation.one, "replies-one", see="viewer"),
    route("replies/<str:address>/answer", conversation.answer, "replies-answer", see="viewer", change="editor"),
    route("replies/<str:address>/count", conversation.count, "replies-count", see="editor"),
    route("replies/<str:address>/handled", conversation.handled, "replies-handled", see="viewer", change="editor"),
    route("replies/<str:address>/opt-out", conversation.opt_out, "replies-opt-out", see="viewer", change="editor"),
]
