"""Making one request. `webhook-id` is the message's id on every attempt, so the receiver can tell a repeat: unlike a text, a request whose
answer was lost is made again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from standardwebhooks import Webhook

from oncue.adaptors.webhook.fields import check_request
from oncue.core import clock
from oncue.core.adaptor import Config, Impossible, Lane, Outgoing, Prepared
from oncue.core.http import Http, NotKnown, NotSent, Response
from oncue.core.outcome import Blame, Outcome, Rejected, Retry, Submitted
from oncue.core.redact import Redactor, credentials

DEADLINE = 15.0
_SHOWN = 500


def prepare(config: Config, fields: dict[str, Any], user: Mapping[str, Any]) -> Prepared | Impossible:
    """What is called; each host is paced by itself."""
    faults = check_request(config, fields)
    if faults:
        return Impossible(faults[0].field, faults[0].sentence)
    try:
        host = urlsplit(str(fields["url"])).netloc.lower()
    except ValueError:
        return Impossible("url", f"{str(fields['url'])[:100]!r} is not a web address.")
    lane = Lane(f"webhook {host}"[:300], float(config.get("messages_per_second") or 0))
    return Prepared(fields=fields, recipient=str(fields["url"])[:254], lane=lane)


async def send(http: Http, config: Config, outgoing: Outgoing) -> Outcome:
    """One request; any 2xx is success."""
    fields = outgoing.fields
    body, content_type = _body(fields)
    headers = {str(name): str(value) for name, value in (fields.get("headers") or {}).items()}
    if body is not None and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = content_type
    headers |= _signature(config, outgoing.id, body or b"")
    answer = await http.request(
        str(fields.get("method") or "POST"),
        str(fields["url"]),
        headers=headers,
        body=body,
        deadline=DEADLINE,
        trusted=bool(config.get("allow_private_addresses")),
        limit=64_000,
    )
    match answer:
        case NotSent(reason=reason, forbidden=True):
            return Rejected(reason, Blame.MESSAGE)
        case NotSent(reason=reason) | NotKnown(reason=reason):
            return Retry(reason)
        case Response():
            secrets = [*credentials(headers), str(config.get("signing_secret") or "")]
            return _outcome(outgoing, answer, Redactor(filter(None, secrets)))


def _body(fields: dict[str, Any]) -> tuple[bytes | None, str]:
    if fields.get("form"):
        return urlencode(fields["form"]).encode(), "application/x-www-form-urlencoded"
    if fields.get("json") is not None:
        return msgspec.json.encode(fields["json"]), "application/json"
    return None, ""


def _signature(config: Config, message: str, body: bytes) -> dict[str, str]:
    at = datetime.fromtimestamp(clock.now() // clock.SECOND, UTC)
    headers = {"webhook-id": message, "webhook-timestamp": str(int(at.timestamp()))}
    secret = config.get("signing_secret")
    if secret:
        headers["webhook-signature"] = Webhook(secret).sign(message, at, body.decode("utf-8", "replace"))
    return headers


def _outcome(outgoing: Outgoing, answer: Response, hide: Redactor) -> Outcome:
    """What it says may repeat what it was told."""
    said = f"{answer.status} {hide.text(answer.text())[:_SHOWN]}".strip()
    if 200 <= answer.status < 300:
        return Submitted(outgoing.id, "succeeded", {"status_code": answer.status})
    if answer.status in (408, 425, 429) or answer.status >= 500:
        return Retry(f"The other system answered {said}", _retry_after(answer), throttled=answer.status == 429)
    if 300 <= answer.status < 400:
        place = hide.text(answer.headers.get("location", ""))[:200]
        return Rejected(
            f"The other system redirects to {place!r}, which oncue does not follow; call that address instead.",
            Blame.MESSAGE,
        )
    return Rejected(f"The other system answered {said}", Blame.MESSAGE, str(answer.status))


def _retry_after(answer: Response) -> float | None:
    text = answer.headers.get("retry-after", "")
    return min(float(text), 3_600.0) if re.fullmatch("[0-9]+", text) else None
