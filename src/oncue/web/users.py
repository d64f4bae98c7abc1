"""The screen Users: the people whom messages go to, found by id, phone number, e-mail address or name."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import register_converter

from oncue.store import search
from oncue.web import user, user_data, user_import
from oncue.web.access import route
from oncue.web.one_line import one_line
from oncue.web.own_senders import home_country
from oncue.web.person import NAMES, name_of


class Anything:
    """A user's id in an address: whatever an app calls its users, slashes and line breaks too."""

    regex = r"(?s:.+)"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


register_converter(Anything, "anything")


def index(request: HttpRequest) -> HttpResponseBase:
    """The list."""
    wanted, before = request.GET.get("search", "").strip(), request.GET.get("before", "")
    page = search.users(
        limit=50, before=int(before) if before.isdecimal() else None, search=wanted, country=home_country()
    )
    context = {"page": page, "wanted": wanted, "shown": [_line(row) for row in page.rows], "is_first": not before}
    return render(request, "oncue/users.html", context)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    given = row["properties"] or {}
    shown = {name: value for name, value in given.items() if name not in (*NAMES, "phone_number", "email", "test_user")}
    return {
        "row": row,
        "name": name_of(given),
        "phone": row["phone"] or given.get("phone_number"),
        "email": given.get("email"),
        "is_test": given.get("test_user") is True,
        "text": one_line(shown),
    }


ROUTES = [
    route("users", index, "users", see="viewer"),
    route("users-import", user_import.show, "users-import", see="editor", change="editor"),
    route("users-export", user_data.export, "users-export", see="viewer"),
    route("users-forget", user_data.forget, "users-forget", see="owner", change="owner"),
    route("users/<anything:id>", user.one, "users-one", see="viewer", change="editor"),
]
