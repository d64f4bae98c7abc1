"""Opt-outs: the ledger of numbers and addresses, added to, lifted with a reason, given out and taken in as CSV."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Literal

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from pydantic import BaseModel, Field

from oncue.store import optouts as stored
from oncue.store import reading
from oncue.store.refusal import Refused as Unwilling
from oncue.web.api import paging
from oncue.web.api.auth import READ, WRITE, who
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit, Paged
from oncue.web.api.problems import Refused, wrong
from oncue.web.api.shapes import At, Given
from oncue.web.backstage import behind

OPT_OUTS = Resource("Opt-outs", "Addresses that get no more messages from a sender or a messaging service.")

Address = Annotated[
    str,
    Field(
        min_length=1,
        max_length=254,
        description="A number with its country code, or an e-mail address.",
        examples=["+353860000001"],
    ),
]
Scope = Annotated[
    str,
    Field(min_length=1, max_length=254, description="The sender, or the messaging service.", examples=["+15005550006"]),
]
Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="Why; it is kept in the audit trail.",
        examples=["asked for it on the phone"],
    ),
]


class OptOut(BaseModel):
    """One line of the ledger."""

    address: str = Field(description="Who.", examples=["+353860000001"])
    scope: str = Field(description="From what they get nothing.", examples=["+15005550006"])
    source: str = Field(description="Where it came from.", examples=["replied 'STOP'"])
    at: At = Field(description="Since when.")
    lifted_at: At | None = Field(description="When it was lifted; null if it holds.", examples=[None])
    lifted_by: str = Field(description="Who lifted it, and why.", examples=[""])


class OptOuts(Paged):
    """The ledger, newest first."""

    items: list[OptOut]


class OptOutChange(Given):
    """An address, a scope, and why."""

    address: Address
    scope: Scope
    reason: Reason


class Done(BaseModel):
    """What came of it."""

    changed: bool = Field(description="Whether it was not so before.", examples=[True])


class Ledger(Given):
    """Opt-outs to take in."""

    csv: str = Field(
        max_length=900_000,
        description="CSV with the columns `address`, `scope` and, if you like, `source`.",
        examples=["address,scope,source\n+353860000001,+15005550006,the old system\n"],
    )


class TakenIn(BaseModel):
    """What came of it."""

    read: int = Field(description="How many lines there were.", examples=[120])
    added: int = Field(description="How many of them were news.", examples=[3])


@OPT_OUTS.operation("GET /opt-outs", scope=READ, answer=OptOuts)
def list_opt_outs(
    request: HttpRequest,
    address: Annotated[
        str, Field(max_length=254, description="Only of this address, or of those that begin so.", examples=["+353"])
    ] = "",
    state: Annotated[
        Literal["", "active", "lifted"],
        Field(description="Only those that hold, or that were lifted.", examples=["active"]),
    ] = "",
    before: Before = None,
    limit: Limit = 50,
) -> object:
    """List opt-outs"""
    page = reading.opt_outs(limit=limit, before=before, address=address, state=state)
    return paging.page(request, page.rows, page.next_before)


@OPT_OUTS.operation(
    "POST /opt-outs",
    scope=WRITE,
    answer=Done,
    example={"address": "+353860000001", "scope": "+15005550006", "reason": "asked for it on the phone"},
)
def add_opt_out(request: HttpRequest, body: OptOutChange) -> object:
    """Opt an address out

    From then on it gets nothing from that sender or messaging service, whatever rules say."""
    by = who(request)
    try:
        return {"changed": behind().change(lambda: stored.add(body.address, body.scope, by, body.reason))}
    except Unwilling as unwilling:
        raise Refused(422, str(unwilling)) from None


@OPT_OUTS.operation(
    "POST /opt-outs/lift",
    scope=WRITE,
    answer=Done,
    refuses={409: "It has not opted out of that scope."},
    example={"address": "+353860000001", "scope": "+15005550006", "reason": "texted START to the shop's phone"},
)
def lift_opt_out(request: HttpRequest, body: OptOutChange) -> object:
    """Lift an opt-out

    Only when the person asked for it. The provider may go on refusing until they reply START themselves."""
    if not body.reason.strip():
        raise wrong([("reason", "Say why; the reason is kept.")])
    behind().change(lambda: stored.lift(body.address, body.scope, who(request), body.reason))
    return {"changed": True}


@OPT_OUTS.operation("GET /opt-outs.csv", scope=READ, answer=None, produces="text/csv")
def export_opt_outs(request: HttpRequest) -> StreamingHttpResponse:
    """Get the whole ledger as CSV

    With those that were lifted. It can be taken in again."""
    return StreamingHttpResponse(
        _streamed(stored.export()),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="opt-outs.csv"',
            "Content-Encoding": "identity",  # Django would pack each piece by itself, of which some clients read only the first
        },
    )


async def _streamed(lines: Iterator[str]) -> AsyncIterator[str]:
    """A piece at a time, each read on Django's thread: a plain iterator would be read to its end first."""
    while (piece := await sync_to_async(lambda: next(lines, None))()) is not None:
        yield piece


@OPT_OUTS.operation(
    "POST /opt-outs/import",
    scope=WRITE,
    answer=TakenIn,
    example={"csv": "address,scope,source\n+353860000001,+15005550006,the old system\n"},
)
def import_opt_outs(request: HttpRequest, body: Ledger) -> object:
    """Take opt-outs in from CSV

    A file only ever adds: what it does not name stays. All of it or, if a line is wrong, nothing."""
    entries, faults = stored.read(body.csv)
    if faults:
        raise wrong(("csv", fault) for fault in faults[:50])
    by, added = who(request), 0
    for start in range(0, len(entries), 1_000):
        batch = entries[start : start + 1_000]
        added += behind().change(lambda batch=batch: stored.take_in(batch, by))  # type: ignore[misc]
    return {"read": len(entries), "added": added}
