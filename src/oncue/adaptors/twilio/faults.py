"""Faults that show before anything is sent: across the fields of the account, and in a rule's fields as written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from oncue.adaptors.twilio.fields import BODY_LIMIT, DEFAULT_BASE
from oncue.adaptors.twilio.numbers import SERVICE_SID, Unreadable, read_sender
from oncue.core.adaptor import Config
from oncue.core.fields import Fault, as_text, utf16_length

CONTENT_SID = r"HX[0-9a-fA-F]{32}"


def check_account(config: Config) -> list[Fault]:
    """What is wrong across the fields of the account. Pure."""
    faults = []
    if config.get("api_key_sid") and not config.get("api_key_secret"):
        faults.append(
            Fault("api_key_secret", "API Key Secret is missing: give the secret of the API key, or remove its SID.")
        )
    if config.get("api_key_secret") and not config.get("api_key_sid"):
        faults.append(
            Fault("api_key_sid", "API Key SID is missing: give the SID of the API key, or remove its secret.")
        )
    if (config.get("region") or config.get("edge")) and str(config.get("api_base_url") or DEFAULT_BASE).rstrip(
        "/"
    ) != DEFAULT_BASE:
        faults.append(
            Fault(
                "api_base_url",
                f"Region and Edge location choose Twilio's address; with them, leave API base URL at {DEFAULT_BASE}.",
            )
        )
    if config.get("default_sender"):
        sender = read_sender(str(config["default_sender"]))
        if isinstance(sender, Unreadable):
            faults.append(Fault("default_sender", sender.sentence))
    return [*faults, *_rate_faults(config.get("sender_rates") or {})]


def _rate_faults(rates: Mapping[str, Any]) -> list[Fault]:
    faults = []
    for name, rate in rates.items():
        sender = read_sender(name)
        if isinstance(sender, Unreadable):
            faults.append(Fault("sender_rates", sender.sentence))
        try:
            fits = 0.01 <= float(as_text(rate)) <= 2_000
        except ValueError:
            fits = False
        if not fits:
            sentence = (
                f"The rate of {name} must be a number of messages per second from 0.01 to 2000, not {as_text(rate)!r}."
            )
            faults.append(Fault("sender_rates", sentence))
    return faults


def check_message(config: Config, fields: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with a rule's fields as written. A value with a template in it is judged when it is rendered. Pure."""
    faults = []
    given = {name: value for name, value in fields.items() if value not in (None, "", [], {})}
    if not given.keys() & {"body", "media_urls", "content_sid"}:
        faults.append(
            Fault("body", "Give a Message Body, a MediaURL or a Content Template SID: a message needs one of them.")
        )
    if given.get("content_variables") and "content_sid" not in given:
        faults.append(
            Fault(
                "content_variables", "Content Variables fill a template: give its Content Template SID, or remove them."
            )
        )
    for name, value in given.items():
        sentence = "" if is_template(value) else _fault_of(name, value)
        if sentence:
            faults.append(Fault(name, sentence))
    return faults


def is_template(value: Any) -> bool:
    """Whether a value is still to be rendered."""
    if isinstance(value, list | tuple):
        return any(is_template(one) for one in value)
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _fault_of(name: str, value: Any) -> str:
    match name:
        case "body":
            return over_limit(as_text(value))
        case "from":
            sender = read_sender(as_text(value))
            return sender.sentence if isinstance(sender, Unreadable) else ""
        case "messaging_service_sid":
            return bad_sid(as_text(value), "Messaging Service SID", SERVICE_SID)
        case "content_sid":
            return bad_sid(as_text(value), "Content Template SID", CONTENT_SID)
    return ""


def bad_sid(text: str, label: str, pattern: str) -> str:
    """Why a text is not such a SID; empty if it is one."""
    if re.fullmatch(pattern, text.strip()):
        return ""
    return f"{label} must be {pattern[:2]} and 32 hex digits, 34 characters in all; “{text[:60]}” is not."


def over_limit(body: str) -> str:
    """Why a body is too long; empty if it is not."""
    length = utf16_length(body)
    if length <= BODY_LIMIT:
        return ""
    return f"The Message Body is {length} characters long and Twilio's limit is {BODY_LIMIT}; shorten it (an emoji counts as two or more)."
