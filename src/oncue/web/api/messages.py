"""Messages: listed, explained, written by hand, sent again, called off."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import Field

from oncue.store import reading, resend
from oncue.store.call_off import call_off
from oncue.web.api import paging
from oncue.web.api.auth import READ, WRITE, who
from oncue.web.api.by_hand import compose
from oncue.web.api.explaining import explained
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit
from oncue.web.api.problems import missing
from oncue.web.api.shapes import FormId, Given, Since, Until, milliseconds
from oncue.web.api.traffic import Explanation, Message, Messages
from oncue.web.backstage import behind

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


class Again(Given):
    """Why, and which time."""

    reason: str = Field(
        min_length=1,
        max_length=500,
        description="Why; it is kept in the audit trail.",
        examples=["the number was wrong"],
    )
    number: int | None = Field(
        default=None,
        ge=0,
        lt=resend.MOST,
        description="How often it was sent again before, so that a request that is repeated sends once. Without it, once more.",
        examples=[0],
    )
    force: bool = Field(
        default=False,
        description="Also if the person has it, or may get it still; else that is refused.",
        examples=[False],
    )


class CallOff(Given):
    """Why."""

    reason: str = Field(
        min_length=1,
        max_length=500,
        description="Why; it is kept in the audit trail.",
        examples=["the event is canceled"],
    )


@MESSAGES.operation(
    "POST /messages/{message_id}/resend",
    scope=WRITE,
    answer=Message,
    status=201,
    refuses={409: "It should not be sent again, or cannot be; `detail` says why."},
    example={"reason": "the number was wrong"},
)
def resend_message(request: HttpRequest, message_id: MessageId, body: Again) -> object:
    """Send a message again

    A copy of it is made, under an id of its own, through the same checks of consent, opt-outs and the hour."""
    _known(message_id)
    number = resend.next_number(message_id) if body.number is None else body.number
    job = resend.Resend(message=message_id, number=number, by=who(request), reason=body.reason, force=body.force)
    return reading.message(str(behind().do(job)))


@MESSAGES.operation(
    "POST /messages/{message_id}/cancel",
    scope=WRITE,
    answer=Message,
    refuses={409: "It does not wait any more."},
    example={"reason": "the event is canceled"},
)
def cancel_message(request: HttpRequest, message_id: MessageId, body: CallOff) -> object:
    """Call off a message that waits"""
    _known(message_id)
    behind().change(lambda: call_off(message_id, who(request), body.reason))
    return _known(message_id)


def _known(message_id: str) -> dict[str, Any]:
    found = reading.message(message_id)
    if found is None:
        raise missing("message with the id", message_id)
    return found
