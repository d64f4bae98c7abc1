"""Preparing a message: everything that can be known before the call is checked here, so that a bad number costs no request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from oncue.adaptors.twilio import numbers, segments
from oncue.adaptors.twilio.fields import CONTENT_SAYS, MEDIA_SAYS, is_service, is_web_address, sender_fault
from oncue.core.adaptor import Config, Impossible, Lane, Prepared
from oncue.core.phone import Number

_MEDIA_COUNTRIES = ("US", "CA")
_MANY_SEGMENTS = 4


def prepare(config: Config, fields: dict[str, Any], user: Mapping[str, Any]) -> Prepared | Impossible:
    """Who gets it, from whom, whose opt-outs apply and what paces it; or why it cannot be sent."""
    if not any((str(fields.get("body") or "").strip(), fields.get("media_urls"), fields.get("content_sid"))):
        return Impossible("body", CONTENT_SAYS)
    number = numbers.read(str(fields["to"]), user)
    if isinstance(number, str):
        return Impossible("to", number)
    sender, service = _sender(config, fields)
    if sender and (said := sender_fault(sender)):
        return Impossible("from", said)
    if not sender and not service:
        return Impossible(
            "from",
            "There is no sender: give a Sender Number or a Messaging Service SID, or a default sender on the adaptor.",
        )
    if fields.get("shorten_urls") and not service:
        return Impossible(
            "shorten_urls", "Links can be shortened only through a messaging service; give a Messaging Service SID."
        )
    if sender == number.e164:
        return Impossible("to", f"{sender} cannot text itself.")
    refusal = _check_media(fields.get("media_urls") or [], number)
    if refusal:
        return Impossible("media_urls", refusal)
    final = {**fields, "to": number.e164, "from": sender, "messaging_service_sid": service}
    name = service or sender
    return Prepared(
        fields={key: value for key, value in final.items() if value not in (None, "", [], {})},
        recipient=number.e164,
        scopes=tuple(filter(None, (sender, service))),
        lane=Lane(f"twilio {name}", _rate(config, name)),
        sender=sender or service,
        country=number.country,
        warnings=_warnings(fields),
    )


def _sender(config: Config, fields: Mapping[str, Any]) -> tuple[str, str]:
    """(number or sender ID, messaging service). The adaptor's default serves only where the rule names neither."""
    sender, service = str(fields.get("from") or "").strip(), str(fields.get("messaging_service_sid") or "").strip()
    if not sender and not service:
        default = str(config.get("default_sender") or "")
        return ("", default) if is_service(default) else (default, "")
    if re.fullmatch(r"\+?[\d\s().-]+", sender):
        sender = re.sub(r"[\s().-]", "", sender)
    return sender, service


def _check_media(urls: list[str], number: Number) -> str:
    if not urls:
        return ""
    if number.country not in _MEDIA_COUNTRIES:
        where = number.country or "an unknown country"
        return f"Pictures can be sent to the US and Canada only, and {number.e164} is in {where}; leave the MediaURL out, or put a link in the body."
    for url in urls:
        if not is_web_address(url):
            return MEDIA_SAYS.format(url[:100])
    return ""


def _rate(config: Config, name: str) -> float:
    rates = config.get("sender_rates") or {}
    if name in rates:
        return float(rates[name])
    given = config.get("messages_per_second")
    return float(given) if given is not None else numbers.usual_rate(name)


def _warnings(fields: Mapping[str, Any]) -> tuple[str, ...]:
    found = segments.count(str(fields.get("body") or ""))
    if found.count < _MANY_SEGMENTS:
        return ()
    odd = ", because of a character outside GSM-7" if found.encoding == "UCS-2" else ""
    return (f"The text takes {found.count} segments ({found.encoding}{odd}); each is charged.",)
