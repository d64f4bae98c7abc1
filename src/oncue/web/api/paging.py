"""Pages of listings: newest first, by a cursor, so that page one thousand costs what page one does."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.web.api import PREFIX

MOST = 200

Limit = Annotated[int, Field(ge=1, le=MOST, description=f"How many at most, up to {MOST}.", examples=[50])]
Before = Annotated[
    int | None,
    Field(
        ge=1,
        le=2**63 - 1,
        description="Where to go on: only what is older than this. Taken from `next`.",
        examples=[None],
    ),
]


class Paged(BaseModel):
    """A page of a listing. While `next` is not null there may be more, even if this page holds few or none."""

    next: str | None = Field(
        description="The address of the next page, relative to this server; null at the end.",
        examples=[f"{PREFIX}/messages?before=4711"],
        json_schema_extra={"format": "uri-reference"},
    )


def next_url(request: HttpRequest, cursor: int | str | None, name: str = "before") -> str | None:
    """The address of the page after this one, with the same filters."""
    if cursor is None:
        return None
    parameters = request.GET.copy()
    parameters[name] = str(cursor)
    # As it was asked for: decoded, a slash inside an id would be one between two parts of the path.
    raw: bytes = request.scope["raw_path"]  # type: ignore[attr-defined]
    path = quote(raw.partition(b"?")[0], safe="/%:@!$&'()*+,;=-._~")
    return f"{path}?{parameters.urlencode()}"


def page(request: HttpRequest, rows: list[dict[str, Any]], before: int | None) -> dict[str, Any]:
    """What a listing answers: its rows, and where to go on if `before` says so."""
    return {"items": rows, "next": next_url(request, before)}
