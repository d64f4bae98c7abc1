"""The audit trail: who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import trail
from oncue.web.api import paging
from oncue.web.api.auth import ADMIN
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit, Paged
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
    kind: Annotated[str, Field(max_length=30, description="Only of this kind of thing.", examples=["rule"])] = "",
    name: Annotated[
        str, Field(max_length=254, description="Only of this one.", examples=["booking-confirmation"])
    ] = "",
    by: Annotated[str, Field(max_length=254, description="Only by them.", examples=["ann@example.com"])] = "",
    before: Before = None,
    limit: Limit = 50,
) -> object:
    """List who changed what"""
    page = trail.entries(limit=limit, before=before, kind=kind, by=by, name=name)
    return paging.page(request, page.rows, page.next_before)
