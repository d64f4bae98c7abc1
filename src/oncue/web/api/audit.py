"""The audit trail: who changed what."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import audit as stored
from oncue.web.api import paging
from oncue.web.api.auth import ADMIN
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit, Paged
from oncue.web.api.problems import wrong
from oncue.web.api.shapes import At

AUDIT = Resource("Audit trail", "Who changed what, before and after. It cannot be changed.")


class Entry(BaseModel):
    """One change."""

    seq: int = Field(description="Its place in the order of changes.", examples=[81])
    at: At = Field(description="When.")
    by: str = Field(
        description="Who: a member's address, `key NAME`, or the command line.", examples=["ann@example.com"]
    )
    verb: str = Field(description="What they did.", examples=["changed"])
    kind: str = Field(description="To what kind of thing.", examples=["rule"])
    name: str = Field(description="To which.", examples=["booking-confirmation"])
    before: Any = Field(description="What it was, without secrets; null if nothing is kept of it.", examples=[None])
    after: Any = Field(description="What it became, without secrets; null if nothing is kept of it.", examples=[None])
    note: str = Field(description="What was said of it.", examples=[""])


class Entries(Paged):
    """Changes, newest first."""

    items: list[Entry]


@AUDIT.operation("GET /audit", scope=ADMIN, answer=Entries)
def list_audit(
    request: HttpRequest,
    kind: Annotated[
        str, Field(max_length=30, description="Only of this kind of thing; with `name`.", examples=["rule"])
    ] = "",
    name: Annotated[
        str, Field(max_length=254, description="Only of this one; with `kind`.", examples=["booking-confirmation"])
    ] = "",
    before: Before = None,
    limit: Limit = 50,
) -> object:
    """List who changed what"""
    if bool(kind) != bool(name):
        raise wrong(
            [("name" if kind else "kind", "Give kind and name together: one thing's history is looked for by both.")]
        )
    rows = stored.page(limit=limit + 1, before=before, kind=kind, name=name)
    for row in rows:
        for side in ("before", "after"):
            row[side] = _value(row[side])
    return paging.whole(request, rows, limit)


def _value(kept: Any) -> Any:
    return msgspec.json.decode(kept) if isinstance(kept, str) and kept else kept or None
