"""Magic numbers, which only test credentials know. twilio.com/docs/iam/test-credentials"""

from __future__ import annotations

from oncue.simulator.answers import Problem

_FROM = {
    "+15005550001": (21212, "The 'From' number is not a valid phone number, shortcode, or alphanumeric sender ID."),
    "+15005550007": (
        21606,
        "The 'From' phone number is not a valid message-capable Twilio phone number for this destination.",
    ),
    "+15005550008": (21611, "This 'From' number has exceeded the maximum number of queued messages"),
}
_TO = {
    "+15005550001": (21211, "The 'To' number is not a valid phone number."),
    "+15005550002": (21612, "The message cannot be sent with the current combination of 'To' and 'From' parameters"),
    "+15005550003": (
        21408,
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    ),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number is not a valid mobile number"),
}


def check(to: str, sender: str) -> None:
    """What test credentials make of these numbers. Raises `Problem`."""
    known = _FROM.get(sender) or (None if sender == "+15005550006" else _FROM["+15005550007"]) or _TO.get(to)
    if known:
        raise Problem(400, *known)
