"""X-Twilio-Signature: proof that a call is Twilio's. twilio.com/docs/usage/security

Base64 of HMAC-SHA1, keyed with the auth token, of the URL followed by each form parameter's name and value in order of name. A JSON call
carries `bodySHA256` in its query instead. API keys sign nothing: it is always the auth token, either of the two while they are rotated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

from oncue.core.adaptor import Config, Refused, Request

HEADER = "x-twilio-signature"

Parameters = list[tuple[str, str]]


def verify(config: Config, request: Request) -> Refused | Parameters:
    """The call's parameters if it is Twilio's, else why it is not."""
    tokens = [str(config[name]) for name in ("auth_token", "auth_token_secondary") if config.get(name)]
    if not tokens:
        return Refused("There is no auth token to verify this with; set it in the Twilio adaptor.", 403)
    given = request.headers.get(HEADER, "")
    if not given:
        return Refused("There is no X-Twilio-Signature.", 403)
    is_form = request.method == "POST" and "json" not in request.headers.get("content-type", "").lower()
    try:
        form = parse_qsl(request.body.decode("utf-8"), keep_blank_values=True) if is_form else []
    except (UnicodeDecodeError, ValueError):
        return Refused("The body is not a form.", 403)
    query = parse_qs(urlsplit(request.url).query, keep_blank_values=True) if "?" in request.url else {}
    stated = query.get("bodySHA256")
    if stated and not _same(stated[0].lower(), hashlib.sha256(request.body).hexdigest()):
        return Refused("The body is not the one that was signed.", 403)
    if not is_form and request.body and not stated:
        return Refused("The body is not covered by the signature.", 403)
    if not any(_same(given, signature) for token in tokens for signature in signatures(token, request.url, form)):
        return Refused("The signature does not match; check ONCUE_PUBLIC_URL and the auth token.", 403)
    if is_form:
        return form
    return [(name, value) for name, values in query.items() for value in values]


def signatures(token: str, url: str, form: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The signatures that count for this URL, the likely one first: Twilio keeps or drops the port, depending on product and scheme."""
    tail = "".join(f"{name}{value}" for name, value in sorted(set(form)))
    for variant in _variants(url):
        yield _sign(token, variant + tail)


def _sign(token: str, text: str) -> str:
    return base64.b64encode(hmac.digest(token.encode(), text.encode("utf-8"), "sha1")).decode()


def _variants(url: str) -> Iterator[str]:
    parts = urlsplit(url.split("#", 1)[0])
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # `urlunsplit` would lose an empty query's question mark; the raw path and query are kept byte for byte.
    rest = url.split("#", 1)[0].split("://", 1)[1]
    rest = rest[len(parts.netloc) :]
    for netloc in dict.fromkeys((parts.netloc.rpartition("@")[2], host, f"{host}:{port}")):
        yield f"{parts.scheme}://{netloc}{rest}"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())
