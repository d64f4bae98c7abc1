"""A message as people hear of it: where it stands in one sentence, what an error code means, what was written.

The meaning of a code belongs to the adaptor; where that says nothing, what the provider said at the time is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncue.core import clock
from oncue.core.message import State, redacted_on
from oncue.core.reasons import Reason
from oncue.store.config import Snapshot
from oncue.web.templatetags.shown import sentence

_WORDS = ("body", "subject", "text", "url", "name", "html")
"""Fields that say most of what a message is, in this order."""

_ACCEPTED = {
    "delivered": "It was delivered.",
    "read": "It was delivered, and the person has read it.",
    "sent": "{label} handed it to the carrier; whether it was delivered is not known yet.",
    "undelivered": "The carrier could not deliver it.",
    "failed": "{label} could not send it.",
    "canceled": "It was canceled at {label} before it was sent.",
    "partially_delivered": "Only some of its parts were delivered.",
    "succeeded": "{label} carried it out.",
}


def wording(fields: Mapping[str, Any] | None) -> str:
    """What a message says, for a line in a list."""
    given = fields or {}
    if redacted := redacted_on(given):
        return redacted
    found = next((str(given[name]) for name in _WORDS if given.get(name)), "")
    pictures = given.get("media_urls")
    return found or (f"{len(pictures)} picture{'' if len(pictures) == 1 else 's'}" if pictures else "")


def label_of(snapshot: Snapshot, adaptor: str) -> str:
    """`Twilio` for `twilio`."""
    found = snapshot.catalogue.get(adaptor)
    return found.label if found else adaptor


def meaning(snapshot: Snapshot, adaptor: str, code: str, said: str = "") -> str:
    """What an error code of this adaptor means and what to do about it; `said` is what to fall back on."""
    found = snapshot.catalogue.get(adaptor)
    explained = found.explain_error(code) if found and found.explain_error and code else ""
    return explained or said


def standing(snapshot: Snapshot, message: Mapping[str, Any]) -> str:
    """Where the message stands, in a sentence or two: what happened and, if something can be done, what."""
    label = label_of(snapshot, message["adaptor"])
    reason = sentence(message["reason"])
    match message["state"]:
        case State.WAITING:
            return _waiting(snapshot, message, label, reason)
        case State.SUBMITTING:
            return f"It is being handed to {label}."
        case State.ACCEPTED:
            word = message["carrier_status"]
            told = _ACCEPTED.get(word, f"{label} has it" + (f" and calls it {word}." if word else "."))
            return " ".join(filter(None, (told.format(label=label), _error(snapshot, message))))
        case State.UNKNOWN:
            return (
                f"It is not known whether {label} took it: {_ended(reason)} oncue does not send it again by itself, so that nobody gets it"
                f" twice; a report from {label} settles it."
            )
        case State.REJECTED:
            return f"It was refused. {_ended(reason)}"
        case State.EXPIRED:
            return f"It was not sent. {_ended(reason)}"
        case State.CANCELED:
            return f"It was called off. {_ended(reason)}"
    return f"oncue did not send it. {_ended(reason)}"


def _waiting(snapshot: Snapshot, message: Mapping[str, Any], label: str, reason: str) -> str:
    pause = snapshot.paused(message["adaptor"], message["sender"], message.get("country") or "")
    if not snapshot.active(message["adaptor"]):
        return (
            f"It waits because the adaptor {label} is not active; activate it under Adaptors. {_ended(reason)}".strip()
        )
    if pause and pause.until_at > clock.now():
        return (
            f"It waits because {label} refused what went this way: {_ended(pause.reason)} oncue tries again by itself."
        )
    if message["reason"].startswith(Reason.QUIET_HOURS):
        return f"It waits for the morning. {_ended(reason)}"
    if reason:
        return f"It waits to be tried again. {_ended(reason)}"
    return "It waits for its turn: messages go no faster than their sender may send, and one at a time while the provider does not answer."


def _error(snapshot: Snapshot, message: Mapping[str, Any]) -> str:
    code = message["error_code"]
    if not code:
        return ""
    return f"Error {code}: {_ended(meaning(snapshot, message['adaptor'], code, message['error_message']))}"


def _ended(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?)" else text + "."
