"""The events that Twilio's reports raise, and its statuses in order.

Twilio does not say in which order callbacks arrive, so the statuses have ranks: the higher is kept. Of two final ones the worse is
kept, since a part that failed makes the message failed.
"""

from __future__ import annotations

from oncue.core.adaptor import EventKind

SUPPRESSED, OPTED_IN, RECEIVED, FAILED = "black_listed_error", "opted_in", "received", "failed"

EVENTS = (
    EventKind(
        "queued",
        "Queued",
        "The API request to send a message was successful and the message is queued to be sent out. This is the initial status when "
        "you are not using a Messaging Service.",
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
        "Twilio has received a delivery receipt indicating that the message was not delivered. This can happen for a number of reasons "
        "including carrier content filtering, availability of the destination device, and so on.",
    ),
    EventKind(
        "failed",
        "Failed",
        "The message could not be sent. This can happen for various reasons including queue overflows, account suspensions and media "
        "errors (in the case of MMS). Also raised when Twilio, or oncue itself, refuses a message, such as one to a bad number.",
    ),
    EventKind(
        SUPPRESSED,
        "black_listed_error",
        "Sent when a user replies STOP to the SMS message, as a means of tracking unsubscribes. Also raised when Twilio refuses a message "
        "because the person opted out (errors 21610 and 30630).",
    ),
    EventKind(
        "accepted",
        "Accepted",
        "A Messaging Service has accepted the message and is choosing the number to send it from.",
    ),
    EventKind(
        "scheduled",
        "Scheduled",
        "A Messaging Service holds the message until its time; oncue itself schedules nothing there.",
    ),
    EventKind("canceled", "Canceled", "The message was canceled at Twilio before it was sent."),
    EventKind("read", "Read", "The recipient opened the message, where the channel reports it (RCS)."),
    EventKind(
        RECEIVED, "Received", "A person replied, or wrote of their own accord; the event carries what they wrote."
    ),
    EventKind(OPTED_IN, "Opted in", "A person who had opted out replied START, YES or UNSTOP."),
)

STATUSES = {
    "accepted": 5,
    "scheduled": 8,
    "queued": 10,
    "sending": 20,
    "sent": 30,
    "partially_delivered": 35,
    "delivered": 40,
    "canceled": 41,
    "undelivered": 42,
    "failed": 43,
    "read": 50,
}
"""Every status of an outgoing message. `receiving` and `received` belong to incoming ones."""

FINAL = frozenset({"delivered", "canceled", "undelivered", "failed", "read"})

_BEFORE = {
    "sending": ("queued",),
    "sent": ("queued",),
    "partially_delivered": ("queued", "sent"),
    "delivered": ("queued", "sent"),
    "undelivered": ("queued", "sent"),
    "read": ("queued", "sent", "delivered"),
}


def first_status(status: str, has_service: bool) -> str:
    """What Twilio called the message when it took it: `accepted` with a messaging service, else `queued`."""
    if status in ("accepted", "scheduled"):
        return status
    return "accepted" if has_service else "queued"


def implied(status: str) -> tuple[str, ...]:
    """Earlier statuses that this one proves. `failed` and `canceled` prove none: a service may fail before it queues."""
    return _BEFORE.get(status, ())
