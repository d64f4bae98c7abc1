"""Messages: listed, explained, written by hand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import Field

from oncue.store import reading
from oncue.web.api import paging
from oncue.web.api.auth import READ, WRITE
from oncue.web.api.by_hand import compose
from oncue.web.api.explaining import explained
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit
from oncue.web.api.shapes import FormId, Given, Since, Until, milliseconds
from oncue.web.api.traffic import Explanation, Message, Messages

MESSAGES = Resource("Messages", "What oncue sent, sends, and did not send, and why.")

MessageId = Annotated[
    str, Field(max_length=32, description="The message's id.", examples=["019ac9a3c0de4f0c8f5b00000000001f"])
]


@MESSAGES.operation("GET /messages", scope=READ, answer=Messages)
def list_messages(
    request: HttpRequest,
    user: Annotated[str, Field(max_length=200, description="Only to this user.", examples=["u1"])] = "",
    rule: Annotated[
        str, Field(max_length=64, description="Only of this rule.", examples=["booking-confirmation"])
    ] = "",
    state: Annotated[
        Literal["", "waiting", "submitting", "accepted", "unknown", "rejected", "suppressed", "expired", "canceled"],
        Field(description="Only in this state.", examples=["accepted"]),
    ] = "",
    carrier_status: Annotated[
        str, Field(max_length=40, description="Only with this status of the provider's.", examples=["delivered"])
    ] = "",
    adaptor: Annotated[str, Field(max_length=50, description="Only by this adaptor.", examples=["email"])] = "",
    recipient: Annotated[
        str, Field(max_length=254, description="Only to this address.", examples=["ann@example.com"])
    ] = "",
    sender: Annotated[
        str, Field(max_length=254, description="Only from this sender.", examples=["shop@example.com"])
    ] = "",
    error_code: Annotated[str, Field(max_length=20, description="Only with this error code.", examples=["550"])] = "",
    since: Since = None,
    until: Until = None,
    before: Before = None,
    limit: Limit = 50,
) -> object:
    """List messages"""
    page = reading.messages(
        limit=limit, before=before, user=user, rule=rule, state=state, carrier_status=carrier_status, adaptor=adaptor,
        recipient=recipient, sender=sender, error_code=error_code,
        since=milliseconds("since", since), until=milliseconds("until", until),
    )  # fmt: skip
    return paging.page(request, page.rows, page.next_before)


@MESSAGES.operation("GET /messages/{message_id}", scope=READ, answer=Explanation)
def get_message(request: HttpRequest, message_id: MessageId) -> object:
    """Explain a message

    The event that triggered it, what its rule decided and why, every attempt with the exchange, and everything the provider reported."""
    return explained("message", message_id, "message")


class NewMessage(Given):
    """A message to send."""

    action: str = Field(
        max_length=100, description="What to do: an adaptor and one of its actions.", examples=["email.send"]
    )
    fields: dict[str, Any] = Field(
        description="The action's fields, as a rule would fill them in.",
        examples=[{"to": "ann@example.com", "subject": "Your booking", "text": "It is confirmed."}],
    )
    form: FormId = ""


@MESSAGES.operation(
    "POST /messages",
    scope=WRITE,
    answer=Message,
    status=201,
    refuses={409: "The adaptor is not configured."},
    example={
        "action": "email.send",
        "fields": {"to": "ann@example.com", "subject": "Your booking", "text": "It is confirmed."},
    },
)
def send_message(request: HttpRequest, body: NewMessage) -> object:
    """Send a message by hand

    Opt-outs, pacing and pauses hold for it as for every message: its `state` says what became of it. It is the user's whose address it goes to, if exactly one has it."""
    return reading.message(compose(request, body.action, body.fields, body.form))
