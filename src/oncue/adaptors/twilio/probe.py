"""A status callback as Twilio would make it, signed with the account's token, about a message that is not there."""

from __future__ import annotations

from urllib.parse import urlencode

from oncue.adaptors.twilio import signature
from oncue.core.adaptor import Config
from oncue.core.probe import Probe

_NOBODY = "SM" + "0" * 32
"""No message has this SID, so the report finds nothing to change."""

_TAIL = "probe"
"""Where a callback has the message's id: this is none, so nobody looks for a message of ours by it."""


def probe(config: Config, url: str) -> Probe:
    """`url` is where statuses are reported (`<public url>/hooks/twilio/status`)."""
    where = f"{url}/{_TAIL}"
    form = [
        ("AccountSid", str(config.get("account_sid") or "")),
        ("ApiVersion", "2010-04-01"),
        ("MessageSid", _NOBODY),
        ("MessageStatus", "sent"),
        ("SmsSid", _NOBODY),
        ("SmsStatus", "sent"),
    ]
    token = str(config.get("auth_token") or "")
    return Probe(
        method="POST",
        url=where,
        headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": next(signature.signatures(token, where, form)),
        },
        body=urlencode(form).encode(),
    )
