"""Users from a CSV file: looked at first, with what is wrong on each line, then taken in with the promises of `oncue users import`."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from oncue.store.imports import Row
from oncue.web import upload, user_file
from oncue.web.access import who
from oncue.web.one_line import one_line
from oncue.web.upload import Upload
from oncue.web.user_file import Content

SAMPLE = 5
"""Users shown."""
MOST_FAULTS = 50
"""Faults shown."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the file."""

    file: Upload
    content: Content

    @property
    def users(self) -> list[Row]:
        """Those that can be taken in."""
        return self.content.users

    @property
    def faults(self) -> list[str]:
        """A sentence for each line that is wrong."""
        return self.content.faults

    @property
    def sample(self) -> list[tuple[str, str]]:
        """The first few."""
        return [(user, one_line(given)) for user, given in self.users[:SAMPLE]]

    @property
    def first_faults(self) -> list[str]:
        """As many as are shown."""
        return self.faults[:MOST_FAULTS]


def show(request: HttpRequest) -> HttpResponseBase:
    """The form; posted with `act=import`, the users are taken in; else the file is looked at."""
    if request.method != "POST":
        return render(request, "oncue/users_import.html", {})
    file = upload.received(request)
    if isinstance(file, str):
        return _answer(request, {"fault": file}, 422)
    found = _look(file)
    if isinstance(found, str):
        return _answer(request, {"fault": found}, 422)
    if request.POST.get("act") != "import":
        return _answer(request, {"look": found}, 200)
    if not upload.same(request, file):
        return _answer(
            request, {"look": found, "fault": "This is not the file that you looked at; look at it again."}, 422
        )
    return redirect(f"{reverse('users')}?{urlencode({'said': _take(request, found)})}")


def _answer(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponseBase:
    template = "_user_look" if request.headers.get("HX-Request") else "users_import"
    return render(request, f"oncue/{template}.html", context, status=status)


def _look(file: Upload) -> Look | str:
    found = user_file.read(file.name, file.content)
    return found if isinstance(found, str) else Look(file=file, content=found)


def _take(request: HttpRequest, found: Look) -> str:
    done = user_file.take_in(found.content, found.file.name, who(request))
    taken, left_out = done.users, done.still_opted_out
    said = f"{taken:,} user{'' if taken == 1 else 's'} imported."
    if left_out:
        said += f" {left_out:,} opt-in{'' if left_out == 1 else 's'} left out, since the person had opted out."
    return said
