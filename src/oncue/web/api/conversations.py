"""Conversations: what went to and fro with one person, and what is done with all they wrote at once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import conversations as stored
from oncue.store import reading
from oncue.store.refusal import Refused as Unwilling
from oncue.web import answering, talk
from oncue.web.api import paging
from oncue.web.api.auth import READ, WRITE, who
from oncue.web.api.opt_outs import OptOut, Reason
from oncue.web.api.paging import Before, Limit
from oncue.web.api.problems import missing, wrong
from oncue.web.api.replies import REPLIES, Replies, Reply
from oncue.web.api.shapes import At, Given
from oncue.web.api.traffic import Message
from oncue.web.api.users import Consent

Address = Annotated[
    str, Field(max_length=254, description="The address that they write from.", examples=["+353860000001"])
]


class Said(BaseModel):
    """A text to them, or a reply from them."""

    kind: Literal["message", "reply"] = Field(description="Which of the two.", examples=["reply"])
    at: At = Field(description="When.")
    message: Message | None = Field(description="The text, if it is one.")
    reply: Reply | None = Field(description="The reply, if it is one.")


class Conversation(BaseModel):
    """What went to and fro with one address."""

    address: str = Field(description="The address.", examples=["+353860000001"])
    user: str = Field(description="Whose it is; empty if oncue does not know.", examples=["u1"])
    consents: list[Consent] = Field(description="What they said to each category of messages.")
    opt_outs: list[OptOut] = Field(description="Opt-outs of the address that are in force.")
    open: int = Field(description="How many of their replies nobody handled.", examples=[1])
    flagged: bool = Field(
        description="Whether one of these reads like an opt-out but is not a keyword.", examples=[False]
    )
    newest: Reply = Field(description="What they wrote last; it is answered by `POST /replies/{id}/answer`.")
    cannot_answer: str = Field(
        description="Why it cannot be answered, as a sentence; empty if it can be.", examples=[""]
    )
    items: list[Said] = Field(description=f"The newest {talk.MOST} texts and replies, oldest first.")


class Handled(BaseModel):
    """What came of it."""

    handled: int = Field(description="How many replies were open.", examples=[1])


class WantsNone(Given):
    """Why."""

    reason: Reason


@REPLIES.operation("GET /conversations", scope=READ, answer=Replies)
def list_conversations(
    request: HttpRequest,
    show: Annotated[
        Literal["", "open", "flagged"],
        Field(
            description="`open`: only people with replies that nobody handled; `flagged`: of these, only if one reads like an opt-out.",
            examples=["open"],
        ),
    ] = "",
    before: Before = None,
    limit: Limit = 50,
) -> object:
    """List people who wrote, each by their newest reply"""
    page = stored.people(limit=limit, before=before, show=show)
    return paging.page(request, page.rows, page.next_before)


@REPLIES.operation("GET /conversations/{address}", scope=READ, answer=Conversation)
def get_conversation(request: HttpRequest, address: Address) -> object:
    """Get what went to and fro with one address"""
    newest = _newest(address)
    unhandled = stored.unhandled(address)
    owner = talk.owner_of(newest)
    user = reading.user(owner) if owner else None
    way = answering.way_back(newest["adaptor"], address, newest["sender"])
    return {
        "address": address,
        "user": owner,
        "consents": user["consents"] if user else [],
        "opt_outs": talk.opt_outs_of(address),
        "open": len(unhandled),
        "flagged": any(one["flag"] for one in unhandled),
        "newest": newest,
        "cannot_answer": way if isinstance(way, str) else "",
        "items": [
            {"kind": one.kind, "at": one.at, "message": None, "reply": None, one.kind: one.row}
            for one in talk.talk(address)
        ],
    }


@REPLIES.operation("POST /conversations/{address}/handle", scope=WRITE, answer=Handled)
def handle_conversation(request: HttpRequest, address: Address) -> object:
    """Mark all that they wrote so far as handled"""
    _newest(address)
    return {"handled": talk.handle(address, who(request))}


@REPLIES.operation(
    "POST /conversations/{address}/opt-out",
    scope=WRITE,
    answer=Handled,
    example={"reason": "they wrote: leave me alone"},
)
def opt_out_conversation(request: HttpRequest, address: Address, body: WantsNone) -> object:
    """Opt them out, since that is what they meant

    Of the sender that they wrote to last; what they wrote so far is handled thereby."""
    newest = _newest(address)
    count = len(stored.unhandled(address))
    try:
        talk.opt_out(newest, body.reason, who(request))
    except Unwilling as unwilling:
        raise wrong([("reason", str(unwilling))]) from None
    return {"handled": count}


def _newest(address: str) -> dict[str, Any]:
    found = talk.newest(address)
    if found is None:
        raise missing("reply from", address)
    return found
