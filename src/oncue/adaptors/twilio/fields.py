"""What the Twilio adaptor is configured with and what `twilio.send_message` takes, with the words that people know them by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from oncue.adaptors.twilio import numbers
from oncue.core.adaptor import Config
from oncue.core.fields import Fault, Field, Kind

API = "https://api.twilio.com"

_SID = "{} begins with {} and has 34 characters; copy it from the Twilio console."


ACCOUNT = (
    Field(
        name="account_sid",
        label="Account SID",
        help="Your Twilio account SID that is used as the username for authentication purposes. To view this value, log in to your Twilio"
        " dashboard, under Account Summary.",
        required=True,
        pattern=r"AC[0-9a-fA-F]{32}",
        pattern_says=_SID.format("The Account SID", "AC"),
    ),
    Field(
        name="auth_token",
        label="Auth Token",
        help="Your Twilio auth token that is used as the password for authentication purposes. To view this value, log in to your Twilio"
        " dashboard, under Account Summary.",
        kind=Kind.SECRET,
        required=True,
    ),
    Field(
        name="auth_token_secondary",
        label="Secondary Auth Token",
        help="While you rotate tokens: callbacks signed with either are accepted.",
        kind=Kind.SECRET,
    ),
    Field(
        name="api_key_sid",
        label="API Key SID",
        help="Sends with an API key in place of the Auth Token, which is still needed to verify callbacks.",
        pattern=r"SK[0-9a-fA-F]{32}",
        pattern_says=_SID.format("The API Key SID", "SK"),
    ),
    Field(name="api_key_secret", label="API Key Secret", help="The API key's secret.", kind=Kind.SECRET),
    Field(
        name="api_base_url",
        label="API address",
        help="Where Twilio's API is. Another address is for simulators; changing it empties the tokens.",
        kind=Kind.URL,
        default=API,
    ),
    Field(
        name="region",
        label="Region",
        help="A Twilio region such as ie1.",
        pattern=r"[a-z]{2}\d",
        pattern_says="A region is written like ie1.",
    ),
    Field(
        name="edge",
        label="Edge",
        help="A Twilio edge location such as dublin.",
        pattern=r"[a-z-]+",
        pattern_says="An edge is written like dublin.",
    ),
    Field(
        name="default_sender",
        label="Default sender",
        help="The number, short code, alphanumeric sender ID or Messaging Service SID that sends unless a rule says otherwise.",
        example="+15005550006",
    ),
    Field(
        name="messages_per_second",
        label="Messages per second",
        help="How fast each sender sends; 0 is no limit. Unset: 1 for a North American number, 3 toll-free, 100 for a short code, 10 otherwise.",
        kind=Kind.NUMBER,
        minimum=0,
        maximum=10_000,
    ),
    Field(
        name="sender_rates",
        label="Rates by sender",
        help="Messages per second for single senders: a number or service, and its rate.",
        kind=Kind.MAP,
        example='{"+15005550006": "10"}',
    ),
    Field(
        name="when_unknown",
        label="When an answer was lost",
        help="oncue looks into Twilio's list to see whether the message is there. If it is not, twice, a minute apart, it is"
        " sent again (send), or kept for a member to decide (hold).",
        kind=Kind.CHOICE,
        choices=("send", "hold"),
        default="send",
    ),
)

MESSAGE = (
    Field(
        name="body",
        label="Message Body",
        help="The text of the message you want to send, limited to 1600 characters. You must include either the Message Body or MediaURL.",
        max_length=1600,
    ),
    Field(
        name="to",
        label="Message Recipient Phone Number",
        help="The destination phone number. Format with a ‘+’ and country code, for example, +16175551212 (E.164 format).",
        required=True,
        example="{{ user.phone_number }}",
    ),
    Field(
        name="from",
        label="Sender Number",
        help="A Twilio phone number (in E.164 format) or alphanumeric sender ID enabled for the type of message you wish to send. Phone"
        " numbers or short codes purchased from Twilio work here. You cannot (for example) spoof messages from your own cell phone number.",
    ),
    Field(
        name="messaging_service_sid",
        label="Messaging Service SID",
        help="The 34 character unique ID of the Messaging Service you want to associate with this message. When only this parameter is"
        " set, Twilio selects the From phone number for delivery.",
        pattern=r"MG[0-9a-fA-F]{32}",
        pattern_says=_SID.format("The Messaging Service SID", "MG"),
    ),
    Field(
        name="media_urls",
        label="MediaURL",
        help="To send an MMS message, include the URL of the media you wish to send. gif, png and jpeg content is formatted correctly on the"
        " recipient’s device; other types are also accepted. The media size limit is 5MB. Up to 10. Only to the US and Canada.",
        kind=Kind.LIST,
        max_length=10,
    ),
    Field(
        name="content_sid",
        label="Content Template SID",
        help="A content template, in place of a body.",
        pattern=r"HX[0-9a-fA-F]{32}",
        pattern_says=_SID.format("The Content Template SID", "HX"),
    ),
    Field(
        name="content_variables",
        label="Content Variables",
        help="Names and values for the content template.",
        kind=Kind.MAP,
    ),
    Field(
        name="validity_period",
        label="Validity period",
        help="Seconds that Twilio may keep the message queued. Never longer than the rule's send-by time.",
        kind=Kind.INTEGER,
        minimum=5,
        maximum=36_000,
    ),
    Field(
        name="smart_encoded",
        label="Smart encoding",
        help="Replaces characters such as curly quotes by plain ones, so that the text needs fewer segments.",
        kind=Kind.BOOLEAN,
    ),
    Field(
        name="shorten_urls",
        label="Shorten URLs",
        help="Shortens links. Needs a messaging service with a link-shortening domain.",
        kind=Kind.BOOLEAN,
    ),
)

CONTENT_SAYS = "A message needs content: a Message Body, a MediaURL, or a Content Template SID."


def check_config(config: Config) -> list[Fault]:
    """What is wrong across the fields."""
    faults = []
    if bool(config.get("api_key_sid")) != bool(config.get("api_key_secret")):
        faults.append(Fault("api_key_sid", "An API key has both a SID and a secret; give both or neither."))
    token = str(config.get("auth_token", ""))
    if token.strip() != token:
        faults.append(Fault("auth_token", "The Auth Token has a space before or after it; take it out."))
    sender = config.get("default_sender")
    if sender and not is_sender(str(sender)) and not is_service(str(sender)):
        faults.append(Fault("default_sender", f"{SENDER_SAYS.format(sender)} A Messaging Service SID will do, too."))
    for name, rate in (config.get("sender_rates") or {}).items():
        if not re.fullmatch(r"\d+(\.\d+)?", str(rate)):
            faults.append(
                Fault("sender_rates", f"The rate of {name} must be a number of messages a second, not {rate!r}.")
            )
    return faults


SENDER_SAYS = (
    "{!r} cannot be a sender: use a number with + and country code, a short code, or an alphanumeric sender ID of at most 11"
    " characters with a letter in it."
)
SERVICE_SAYS = "{} is a Messaging Service SID: write it as messaging_service_sid."


def sender_fault(text: str) -> str:
    """Why this cannot be a Sender Number; empty if it can."""
    if is_sender(text):
        return ""
    return SERVICE_SAYS.format(text) if is_service(text) else SENDER_SAYS.format(text)


def is_sender(text: str) -> bool:
    """A number in E.164, a short code, or an alphanumeric sender ID."""
    return bool(
        re.fullmatch(r"\+[1-9]\d{6,14}|\d{3,8}", text)
        or (re.fullmatch(r"[A-Za-z0-9 +\-_&]{1,11}", text) and re.search("[A-Za-z]", text))
    )


def is_service(text: str) -> bool:
    """A Messaging Service SID."""
    return bool(re.fullmatch(r"MG[0-9a-fA-F]{32}", text))


def check_message(config: Config, fields: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with an action as written, templates unrendered."""
    faults = []
    if not any(fields.get(name) for name in ("body", "media_urls", "content_sid")):
        faults.append(Fault("body", CONTENT_SAYS))
    if fields.get("content_sid") and (fields.get("body") or fields.get("media_urls")):
        faults.append(Fault("content_sid", "A content template takes the place of body and media; leave those out."))
    if fields.get("content_variables") and not fields.get("content_sid"):
        faults.append(Fault("content_variables", "Content variables go with a Content Template SID."))
    if sender := _written(fields.get("from")):
        faults += [Fault("from", said)] if (said := sender_fault(sender)) else []
    if to := _written(fields.get("to")).strip():
        faults += [Fault("to", said)] if (said := numbers.fault(to)) else []
    media = fields.get("media_urls")
    for url in media if isinstance(media, list) else []:
        if _written(url).strip() and not is_web_address(url.strip()):
            faults.append(Fault("media_urls", MEDIA_SAYS.format(url[:100])))
    return faults


def _written(value: Any) -> str:
    """A text that is the same whatever happens; empty for a template."""
    return value if isinstance(value, str) and not any(mark in value for mark in ("{{", "{%", "${env:")) else ""


MEDIA_SAYS = "{!r} is not a web address that starts with http:// or https://."


def is_web_address(text: str) -> bool:
    """An address that media can be fetched from."""
    return re.fullmatch(r"https?://[^\s/?#]+\S*", text) is not None
