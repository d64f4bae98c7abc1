"""Twilio's error codes: whose fault each is, what it means, and what to do. No list of Twilio's says whether to try again; this one does.

Codes change without notice (twilio-oai says not to rely on them), so an unknown one falls back on its HTTP class.
Source: twilio.com/docs/api/errors.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from oncue.core.outcome import Blame


class Kind(StrEnum):
    """What an error calls for."""

    MESSAGE = "message"
    RECIPIENT = "recipient"
    SENDER = "sender"
    COUNTRY = "country"
    ACCOUNT = "account"
    OPT_OUT = "opt_out"
    TRANSIENT = "transient"
    AMBIGUOUS = "ambiguous"


BLAME = {
    Kind.MESSAGE: Blame.MESSAGE,
    Kind.RECIPIENT: Blame.RECIPIENT,
    Kind.SENDER: Blame.SENDER,
    Kind.COUNTRY: Blame.COUNTRY,
    Kind.ACCOUNT: Blame.ACCOUNT,
}


class Error(msgspec.Struct, frozen=True):
    """One code: its kind, what it means, what to do."""

    kind: Kind
    meaning: str
    remedy: str = ""


M, R, S, C = Kind.MESSAGE, Kind.RECIPIENT, Kind.SENDER, Kind.COUNTRY
A, OUT, T, X = Kind.ACCOUNT, Kind.OPT_OUT, Kind.TRANSIENT, Kind.AMBIGUOUS

_TOKEN = "Check Account SID and Auth Token (or API key) in the Twilio adaptor."
_SENDER = "Choose a sender of this account that can send messages there."

ERRORS: dict[int, Error] = {
    # Refused at once
    10001: Error(A, "The Twilio account is not active.", "Look at the Twilio console."),
    20003: Error(A, "Twilio refuses the credentials.", _TOKEN),
    20005: Error(A, "The Twilio account is suspended or closed.", "Look at the Twilio console."),
    20006: Error(A, "The credentials may not do this.", _TOKEN),
    20008: Error(A, "These are test credentials, which send nothing.", "Use the live credentials."),
    20009: Error(M, "Twilio is not done with the message yet."),
    20403: Error(A, "The account may not do this.", "Look at the Twilio console."),
    20404: Error(A, "Twilio does not know this account.", _TOKEN),
    20429: Error(T, "Too many requests at a time; none of it was processed."),
    20500: Error(X, "Twilio failed inside; the message may have been accepted."),
    20503: Error(X, "Twilio is not available; the message may have been accepted."),
    20504: Error(X, "Twilio timed out; the message may have been accepted."),
    21201: Error(M, "There is no recipient.", "Give the recipient's number."),
    21211: Error(R, "The recipient's number is not valid.", "Correct the user's phone number."),
    21212: Error(M, "The sender is not valid.", _SENDER),
    21217: Error(R, "The recipient's number is not valid.", "Correct the user's phone number."),
    21266: Error(M, "The recipient and the sender are the same number.", _SENDER),
    21267: Error(S, "A trial account cannot use an alphanumeric sender.", "Upgrade the account or use a number."),
    21408: Error(
        C,
        "The account may not send to this country.",
        "Switch the country on under Messaging › Settings › Geo permissions.",
    ),
    21602: Error(M, "The body is missing or not valid.", "Give a body."),
    21603: Error(M, "There is no sender.", _SENDER),
    21604: Error(M, "There is no recipient.", "Give the recipient's number."),
    21606: Error(M, "This sender cannot send messages to this recipient.", _SENDER),
    21608: Error(
        R,
        "A trial account sends to verified numbers only.",
        "Verify the number in the Twilio console, or upgrade the account.",
    ),
    21609: Error(M, "The status callback address is not valid.", "Check ONCUE_PUBLIC_URL."),
    21610: Error(OUT, "The recipient replied STOP to this sender.", "Only the person can undo it, by replying START."),
    21611: Error(
        T, "The sender's queue is full: it holds ten hours of messages.", "Send more slowly, or from more senders."
    ),
    21612: Error(R, "This sender cannot reach this recipient.", _SENDER),
    21614: Error(R, "The recipient is not a mobile number.", "Use another channel."),
    21616: Error(M, "The sender matches several numbers.", _SENDER),
    21617: Error(M, "The body is longer than 1600 characters.", "Shorten it."),
    21618: Error(M, "The body is not valid.", "Change it."),
    21619: Error(M, "There is neither a body nor media.", "Give one of them."),
    21620: Error(M, "A media URL is not valid.", "Correct it."),
    21621: Error(M, "This sender cannot send pictures.", _SENDER),
    21622: Error(M, "This sender cannot send pictures.", _SENDER),
    21623: Error(M, "There are more than ten media URLs.", "Leave some out."),
    21624: Error(M, "The validity period is not valid.", "Use 1 to 36000 seconds."),
    21635: Error(R, "The recipient is a landline.", "Use another channel."),
    21653: Error(M, "A parameter is not valid.", "Look at the exchange."),
    21654: Error(M, "The content template is not known.", "Check the Content Template SID."),
    21655: Error(M, "The content template cannot be used.", "Check the Content Template SID."),
    21656: Error(M, "The content variables are not valid.", "Correct them."),
    21657: Error(M, "The content template has no text for this channel.", "Add one."),
    21658: Error(M, "The content template and its variables do not fit.", "Correct them."),
    21659: Error(S, "The sender is not a Twilio number, or a short code of another country.", _SENDER),
    21660: Error(S, "The sender is not a number of this account.", _SENDER),
    21661: Error(S, "The sender cannot send texts.", _SENDER),
    21664: Error(M, "The fallback sender is not valid.", _SENDER),
    21666: Error(M, "The fallback sender is not valid.", _SENDER),
    21667: Error(M, "The fallback sender is not valid.", _SENDER),
    21701: Error(S, "The messaging service does not exist.", "Check the Messaging Service SID."),
    21702: Error(S, "The messaging service cannot be used.", "Look at it in the Twilio console."),
    21703: Error(M, "The messaging service has no sender that can do this.", "Add one in the Twilio console."),
    21704: Error(S, "The messaging service has no sender.", "Add one in the Twilio console."),
    21705: Error(S, "The messaging service does not exist or is disabled.", "Check the Messaging Service SID."),
    35111: Error(M, "The schedule is not valid.", "Leave it out: oncue keeps the time itself."),
    21709: Error(S, "The messaging service cannot use this sender.", "Look at it in the Twilio console."),
    21711: Error(S, "The messaging service has too many senders.", "Look at it in the Twilio console."),
    21712: Error(S, "The sender belongs to another messaging service.", "Look at it in the Twilio console."),
    30409: Error(M, "The message is final and cannot be canceled."),
    35114: Error(M, "The time to send at is missing.", "Leave the schedule out: oncue keeps the time itself."),
    35115: Error(M, "The time to send at is not valid.", "Leave the schedule out: oncue keeps the time itself."),
    35117: Error(M, "The time to send at is too far ahead.", "Leave the schedule out: oncue keeps the time itself."),
    35118: Error(M, "Scheduling needs a messaging service.", "Leave the schedule out: oncue keeps the time itself."),
    35125: Error(T, "Too many messages are scheduled.", "Wait until some have gone."),
    35126: Error(M, "The schedule is not valid.", "Leave it out: oncue keeps the time itself."),
    90007: Error(M, "The validity period is not valid.", "Use 1 to 36000 seconds."),
    90010: Error(A, "The Twilio account is not active.", "Look at the Twilio console."),
    # Reported later
    30001: Error(T, "A queue overflowed.", "Send more slowly."),
    30002: Error(A, "The account was suspended between queueing and sending.", "Look at the Twilio console."),
    30003: Error(T, "The phone is off or out of reach.", "Try later, or use another channel."),
    30004: Error(R, "The recipient or their carrier blocks messages.", "Use another channel."),
    30005: Error(R, "The number does not exist any more.", "Correct the user's phone number."),
    30006: Error(R, "The number is a landline or its carrier cannot be reached.", "Use another channel."),
    30007: Error(
        M,
        "The carrier filtered the message as unwanted.",
        "Do not send the same text again; register the sender and change the text.",
    ),
    30008: Error(T, "The carrier gave no reason.", "Look whether it happens to this carrier only."),
    30009: Error(M, "A part of an incoming message is missing."),
    30010: Error(M, "The message costs more than was allowed."),
    30011: Error(R, "The recipient's carrier takes no pictures.", "Send a link."),
    30017: Error(T, "The carrier's network is congested.", "Try later."),
    30018: Error(S, "The destination wants the sender registered.", "Register it in the Twilio console."),
    30019: Error(M, "The media is too large for the carrier.", "Make it smaller."),
    30020: Error(T, "Twilio failed inside."),
    30021: Error(T, "Twilio failed inside."),
    30022: Error(T, "Faster than the US carriers allow this campaign.", "Send more slowly."),
    30023: Error(T, "The brand's daily limit at T-Mobile is reached.", "It starts anew at midnight Pacific time."),
    30024: Error(S, "The sender is not provisioned at the carrier.", "Register it in the Twilio console."),
    30025: Error(T, "Close to the brand's daily limit at T-Mobile.", "It starts anew at midnight Pacific time."),
    30026: Error(T, "Close to the campaign's daily limit at T-Mobile.", "It starts anew at midnight Pacific time."),
    30027: Error(T, "The campaign's daily limit at T-Mobile is reached.", "It starts anew at midnight Pacific time."),
    30032: Error(S, "The toll-free number is not verified.", "Verify it in the Twilio console."),
    30033: Error(S, "The 10DLC campaign is suspended.", "Look at the Twilio console."),
    30034: Error(S, "The US number is not registered for A2P 10DLC.", "Register it in the Twilio console."),
    30035: Error(T, "The number is still being configured.", "Try later."),
    30036: Error(T, "It was still queued when its validity period ended.", "Send more slowly, or allow more time."),
    30039: Error(M, "Too many messages went back and forth; a loop was cut."),
    30040: Error(S, "The destination wants the sender registered.", "Register it in the Twilio console."),
    30045: Error(M, "The validity period is not valid.", "Use 1 to 36000 seconds."),
    30410: Error(X, "The carrier timed out; the message may have arrived."),
    30450: Error(T, "Blocked for a while as suspected SMS pumping.", "Look at the Twilio console."),
    30610: Error(T, "Regulation forbids messages at this hour.", "Try later."),
    30630: Error(OUT, "The recipient opted out of this sender.", "Only the person can undo it, by replying START."),
    30640: Error(R, "The recipient is on a list of litigators.", "Do not text them."),
}

_CLASSES = {401: A, 403: A, 404: A, 408: X, 429: T}


def look_up(code: int, status: int) -> Error:
    """What a code means; one that is not listed falls back on the HTTP status."""
    known = ERRORS.get(code)
    if known:
        return known
    kind = _CLASSES.get(status, X if status >= 500 else M)
    return Error(kind, f"Twilio refused it with code {code}." if code else f"Twilio answered with status {status}.")


def sentence(code: int, said: str = "") -> str:
    """What a code means and what to do; for an unlisted one, what Twilio said."""
    known = ERRORS.get(code)
    if known is None:
        return said or f"Twilio reports error {code}."
    return f"{known.meaning} {known.remedy}".strip()


def explain(code: str) -> str:
    """The same, for a code as messages keep it."""
    return sentence(int(code)) if code.isascii() and code.isdigit() else ""
