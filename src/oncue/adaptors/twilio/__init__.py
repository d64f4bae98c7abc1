"""Twilio: texts and pictures, what the carrier says of them, and what people reply."""

from __future__ import annotations

from oncue.adaptors.twilio import (
    account,
    errors,
    examine,
    fields,
    inbound,
    poll,
    prepare,
    preview,
    probe,
    reconcile,
    redact,
    send,
)
from oncue.core.adaptor import Action, Adaptor, EventKind, Inbound

STATUSES = {
    "accepted": 5,
    "scheduled": 6,
    "queued": 10,
    "sending": 15,
    "sent": 20,
    "partially_delivered": 39,
    "delivered": 40,
    "canceled": 41,
    "undelivered": 42,
    "failed": 43,
    "read": 50,
}
"""A total order. Of two different final statuses the worse is kept: a message of several parts is as good as its worst part."""

adaptor = Adaptor(
    name="twilio",
    label="Twilio",
    help="Sends texts and pictures, and hears what becomes of them and what people reply.",
    config=fields.ACCOUNT,
    check_config=fields.check_config,
    check=account.check,
    actions=(
        Action(
            name="send_message",
            label="Send message",
            help="Send a text or picture message to a customer from Twilio.",
            fields=fields.MESSAGE,
            prepare=prepare.prepare,
            send=send.send,
            check=fields.check_message,
            preview=preview.preview,
        ),
    ),
    events=(
        EventKind(
            "queued",
            "Queued",
            "The API request to send a message was successful and the message is queued to be sent out.",
        ),
        EventKind("sent", "Sent", "The message was successfully accepted by the nearest upstream carrier."),
        EventKind(
            "delivered",
            "Delivered",
            "Twilio has received confirmation of message delivery from the upstream carrier, and, where available, the destination device.",
        ),
        EventKind(
            "undelivered",
            "Undelivered",
            "Twilio has received a delivery receipt indicating that the message was not delivered: carrier content filtering, availability of"
            " the destination device, and so on.",
        ),
        EventKind(
            "failed",
            "Failed",
            "The message could not be sent: queue overflows, account suspensions, media errors, or a number that is none.",
        ),
        EventKind(
            "black_listed_error", "black_listed_error", "The user replied STOP, or Twilio refused because they had."
        ),
        EventKind("accepted", "Accepted", "A messaging service took the message and will pick a sender."),
        EventKind("scheduled", "Scheduled", "The message is scheduled at Twilio."),
        EventKind("sending", "Sending", "Twilio is handing the message to the carrier."),
        EventKind("partially_delivered", "Partially delivered", "Some parts of the message were delivered."),
        EventKind("canceled", "Canceled", "The message was canceled at Twilio before it was sent."),
        EventKind("read", "Read", "The person has seen the message (RCS and WhatsApp)."),
        EventKind("received", "Received", "A person wrote to one of your numbers."),
        EventKind("opted_in", "Opted in", "A person replied START and may be texted again."),
    ),
    statuses=STATUSES,
    final=frozenset({"delivered", "undelivered", "failed", "canceled", "read"}),
    suppressed="black_listed_error",
    opted_in="opted_in",
    received="received",
    said=("body", "media_urls"),
    received_id="message_sid",
    inbound=(Inbound("status", inbound.status), Inbound("message", inbound.message)),
    status_inbound="status",
    poll=poll.poll,
    fetch=reconcile.fetch,
    find=reconcile.find,
    redact=redact.redact,
    set_inbound=account.set_inbound,
    examine=examine.examine,
    probe=probe.probe,
    explain_error=errors.explain,
    clears_secrets=("api_base_url",),
    account=("account_sid", "api_base_url", "region"),
)
