"""Replies: what people wrote back, answered and marked as handled."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.core import ids
from oncue.core.adaptor import Impossible
from oncue.store import reading
from oncue.store import replies as stored
from oncue.web import answering
from oncue.web.api import paging
from oncue.web.api.auth import READ, WRITE, who
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit, Paged
from oncue.web.api.problems import Refused, missing, wrong
from oncue.web.api.shapes import At, FormId, Given
from oncue.web.api.traffic import Message
from oncue.web.backstage import behind

REPLIES = Resource("Replies", "What people wrote back.")

ReplyId = Annotated[
    int, Field(ge=1, le=2**63 - 1, description="The reply's number: its `id` in the list.", examples=[17])
]


class Reply(BaseModel):
    """What a person wrote."""

    id: int = Field(validation_alias="seq", description="Its number.", examples=[17])
    event: str = Field(description="The id of the event that says so.", examples=["019ac9a3c0de4f0c8f5b00000000001f"])
    adaptor: str = Field(description="How it came.", examples=["sms"])
    user: str = Field(
        validation_alias="user_id", description="Who wrote; empty if oncue does not know.", examples=["u1"]
    )
    address: str = Field(description="From which address.", examples=["+353860000001"])
    sender: str = Field(description="To which of our senders.", examples=["+15005550006"])
    body: str = Field(description="What.", examples=["Thank you!"])
    consent: str = Field(description="`opted_out`, `opted_in` or `help` if it is a keyword; else empty.", examples=[""])
    flag: str = Field(
        description="`maybe_opt_out` if it reads like an opt-out but is not a keyword; else empty.", examples=[""]
    )
    at: At = Field(description="When it was written.")
    handled_at: At | None = Field(description="When it was marked as handled; null if it is open.", examples=[None])
    handled_by: str = Field(description="By whom.", examples=[""])


class Replies(Paged):
    """Replies, newest first."""

    items: list[Reply]


class ReplyChange(Given):
    """What to change."""

    handled: bool = Field(description="True: nobody else needs to look at it. False: somebody should.", examples=[True])


class ReplyAnswer(Given):
    """What to write back."""

    body: str = Field(min_length=1, max_length=1_600, description="The text.", examples=["You are welcome."])
    form: FormId = ""


@REPLIES.operation("GET /replies", scope=READ, answer=Replies)
def list_replies(
    request: HttpRequest,
    show: Annotated[
        Literal["", "open", "flagged"],
        Field(
            description="`open`: only those not handled; `flagged`: of these, only those that read like an opt-out.",
            examples=["open"],
        ),
    ] = "",
    address: Annotated[
        str, Field(max_length=254, description="Only from this address.", examples=["+353860000001"])
    ] = "",
    before: Before = None,
    limit: Limit = 50,
) -> object:
    """List replies"""
    page = stored.replies(limit=limit, before=before, show=show, address=address)
    return paging.page(request, page.rows, page.next_before)


@REPLIES.operation("GET /replies/{reply_id}", scope=READ, answer=Reply)
def get_reply(request: HttpRequest, reply_id: ReplyId) -> object:
    """Get a reply"""
    return _known(reply_id)


@REPLIES.operation("PATCH /replies/{reply_id}", scope=WRITE, answer=Reply, example={"handled": True})
def change_reply(request: HttpRequest, reply_id: ReplyId, body: ReplyChange) -> object:
    """Mark a reply as handled, or as open again"""
    _known(reply_id)
    change = stored.mark_handled if body.handled else stored.reopen
    behind().change(lambda: change(reply_id, who(request)))
    return _known(reply_id)


@REPLIES.operation(
    "POST /replies/{reply_id}/answer",
    scope=WRITE,
    answer=Message,
    status=201,
    refuses={409: "Its adaptor cannot write back, or is not configured."},
    example={"body": "You are welcome."},
)
def answer_reply(request: HttpRequest, reply_id: ReplyId, body: ReplyAnswer) -> object:
    """Answer a reply

    The answer goes from the sender that they wrote to. Opt-outs and pauses hold for it as for every message: its `state` says what became of it."""
    reply = _known(reply_id)
    way = answering.way_back(reply["adaptor"], reply["address"], reply["sender"])
    if isinstance(way, str):
        raise Refused(409, way)
    made = answering.answer(way, body.body, body.form or ids.new(), who(request))
    if isinstance(made, Impossible):
        raise wrong([(made.field, made.sentence)])
    return reading.message(made)


def _known(reply_id: int) -> dict[str, Any]:
    found = stored.reply(reply_id)
    if found is None:
        raise missing("reply with the number", str(reply_id))
    return found
