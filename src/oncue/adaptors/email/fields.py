"""What the Email adaptor is configured with, and what `email.send` takes."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from oncue.adaptors.email import address
from oncue.core.adaptor import Config
from oncue.core.fields import Fault, Field, Kind

_FROM_SAYS = "An address such as shop@example.com or Shop <shop@example.com>, on one line."
_ONE_LINE = r"[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]*"  # all that some program may take for the end of a line
_ADDRESS = r"[^\r\n\x00]*[^\s@<>]+@[^\s@<>]+>?"

ACCOUNT = (
    Field(
        name="smtp_url",
        label="SMTP server",
        help="smtp://host:25 (TLS if the server offers it), smtp+starttls://user:password@host:587 (TLS or nothing) or smtps://user:password@host:465."
        " Characters such as @ and / in a password are percent-encoded.",
        kind=Kind.SECRET,
        required=True,
        example="smtp+starttls://user:password@smtp.example.com:587",
    ),
    Field(
        name="from",
        label="From",
        help="Who e-mails are from unless a rule says otherwise.",
        required=True,
        max_length=320,
        pattern=_ADDRESS,
        pattern_says=_FROM_SAYS,
        example="Shop <shop@example.com>",
    ),
    Field(
        name="reply_to",
        label="Reply to",
        help="Where answers go.",
        max_length=320,
        pattern=_ADDRESS,
        pattern_says=_FROM_SAYS,
    ),
    Field(
        name="messages_per_second",
        label="Messages per second",
        help="How fast the server may be given e-mails; 0 is no limit.",
        kind=Kind.NUMBER,
        default=0,
        minimum=0,
        maximum=10_000,
    ),
)

MESSAGE = (
    Field(
        name="to",
        label="To",
        help="The recipient's address.",
        required=True,
        max_length=320,
        example="{{ user.email }}",
    ),
    Field(
        name="subject",
        label="Subject",
        help="One line.",
        required=True,
        max_length=900,
        pattern=_ONE_LINE,
        pattern_says="A subject is one line; take the line break out.",
    ),
    Field(name="text", label="Text", help="The e-mail as plain text.", max_length=200_000),
    Field(
        name="html",
        label="HTML",
        help="The e-mail as HTML. Values put into it are escaped.",
        kind=Kind.HTML,
        max_length=200_000,
    ),
    Field(
        name="from",
        label="From",
        help="Instead of the adaptor's.",
        max_length=320,
        pattern=_ADDRESS,
        pattern_says=_FROM_SAYS,
    ),
    Field(
        name="reply_to",
        label="Reply to",
        help="Instead of the adaptor's.",
        max_length=320,
        pattern=_ADDRESS,
        pattern_says=_FROM_SAYS,
    ),
)


class Server(msgspec.Struct, frozen=True):
    """Where and how to hand e-mails over. `tls` is `offered`, `required` (STARTTLS) or `implicit`."""

    host: str
    port: int
    tls: str
    username: str
    password: str


_SCHEMES = {"smtp": ("offered", 25), "smtp+starttls": ("required", 587), "smtps": ("implicit", 465)}


def server(smtp_url: str) -> Server | str:
    """The server that an address names, or what is wrong with the address."""
    try:
        parts = urlsplit(smtp_url.strip())
        port = parts.port
    except ValueError:
        return "The SMTP server's port must be a number from 1 to 65535."
    if parts.scheme not in _SCHEMES or not parts.hostname:
        return "The SMTP server is written smtp://host:25, smtp+starttls://user:password@host:587 or smtps://user:password@host:465."
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return "The SMTP server's address ends after the port; percent-encode / ? # and @ in the password."
    tls, usual = _SCHEMES[parts.scheme]
    return Server(parts.hostname, port or usual, tls, unquote(parts.username or ""), unquote(parts.password or ""))


def check_config(config: Config) -> list[Fault]:
    """What is wrong across the fields."""
    found = server(config.get("smtp_url", ""))
    faults = [Fault("smtp_url", found)] if isinstance(found, str) else []
    for name in ("from", "reply_to"):
        mailbox = address.read(str(config[name])) if config.get(name) else None
        if isinstance(mailbox, str):
            faults.append(Fault(name, mailbox))
    return faults


def check_message(config: Config, fields: Any) -> list[Fault]:
    """An e-mail needs something in it."""
    return (
        []
        if fields.get("text") or fields.get("html")
        else [Fault("text", "An e-mail needs a text, an HTML body, or both.")]
    )
