"""What the Webhook adaptor is configured with, and what `webhook.request` takes."""

from __future__ import annotations

import re
from typing import Any

from standardwebhooks import Webhook

from oncue.core.adaptor import Config
from oncue.core.fields import Fault, Field, Kind

ACCOUNT = (
    Field(
        name="signing_secret",
        label="Signing secret",
        help="whsec_ and base64: requests carry webhook-id, webhook-timestamp and webhook-signature by the Standard Webhooks scheme."
        " Without one they are not signed.",
        kind=Kind.SECRET,
        example="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ),
    Field(
        name="allow_private_addresses",
        label="Allow private addresses",
        help="Lets rules call addresses inside your network. Anybody who may write a rule may then reach them.",
        kind=Kind.BOOLEAN,
        default=False,
    ),
    Field(
        name="messages_per_second",
        label="Requests per second",
        help="How fast the other system may be called; 0 is no limit.",
        kind=Kind.NUMBER,
        default=0,
        minimum=0,
        maximum=10_000,
    ),
)

METHODS = ("POST", "PUT", "PATCH", "GET", "DELETE")

REQUEST = (
    Field(
        name="method",
        label="Method",
        help="POST unless you say otherwise.",
        kind=Kind.CHOICE,
        choices=METHODS,
        default="POST",
    ),
    Field(name="url", label="URL", help="The address to call.", kind=Kind.URL, required=True, max_length=2_000),
    Field(name="headers", label="Headers", help="Names and values.", kind=Kind.MAP),
    Field(name="json", label="JSON body", help="A map or list, rendered leaf by leaf.", kind=Kind.JSON),
    Field(name="form", label="Form body", help="Names and values, sent as a form.", kind=Kind.MAP),
)

_RESERVED = (
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
)


def check_config(config: Config) -> list[Fault]:
    """A secret must be one that the scheme can use."""
    secret = config.get("signing_secret")
    if not secret:
        return []
    try:
        Webhook(secret)
    except Exception:  # whatever the library makes of a text that is not base64
        return [Fault("signing_secret", "The signing secret must be base64, after whsec_ if you like.")]
    return []


def check_request(config: Config, fields: Any) -> list[Fault]:
    """One body at most, and headers that are ours to set."""
    faults = []
    if fields.get("json") and fields.get("form"):
        faults.append(Fault("form", "A request has a JSON body or a form body, not both."))
    if re.match(r"\s*https?://[^/?#]*@", str(fields.get("url") or ""), re.IGNORECASE):
        faults.append(
            Fault("url", "A user name and password in an address would be kept with it; use an Authorization header.")
        )
    headers = fields.get("headers")
    for name, value in (headers if isinstance(headers, dict) else {}).items():
        sentence = header_fault(str(name), str(value))
        if sentence:
            faults.append(Fault("headers", sentence))
    return faults


def header_fault(name: str, value: str) -> str:
    """What is wrong with a header, if anything."""
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
        return f"{name!r} is not the name of a header."
    if name.lower() in _RESERVED:
        return f"oncue sets the header {name} itself; leave it out."
    if re.search(r"[\r\n\x00]", value):
        return f"The header {name} must be one line."
    return ""
