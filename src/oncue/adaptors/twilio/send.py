"""Sending: one POST, never repeated. Twilio has no idempotency key, so whatever may have been processed is Unknown."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

import msgspec

from oncue.adaptors.twilio import api, errors, media
from oncue.core import clock
from oncue.core.adaptor import Config, Outgoing
from oncue.core.http import Http, NotKnown, NotSent, Response
from oncue.core.outcome import Blame, Outcome, Rejected, Retry, Submitted, Suppressed, Unknown

DEADLINE = 15.0

RETRIES = "#rc=5&rp=all"
"""Ask Twilio to call back up to five times on any failure: twilio.com/docs/usage/webhooks/webhooks-connection-overrides. Not sent, not signed."""

_LONGEST_VALIDITY = 36_000
_QUEUE_FULL_AFTER = 60.0


async def send(http: Http, config: Config, outgoing: Outgoing) -> Outcome:
    """Create the message."""
    if outgoing.send_by <= clock.now():
        return Retry("Its send-by time has passed.")  # and so it expires
    urls = outgoing.fields.get("media_urls") or []
    warnings: list[str] = []
    if urls:
        fault, warnings = await media.check(http, urls)
        if fault:
            return Rejected(fault, Blame.MESSAGE)
    answer = await http.request(
        "POST",
        api.account_url(config, "/Messages.json"),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        body=_encoded(_form(outgoing)),
        auth=api.credentials(config),
        deadline=DEADLINE,
        trusted=True,
    )
    match answer:
        case NotSent(reason=reason, forbidden=True):
            return Rejected(reason, Blame.ACCOUNT)
        case NotSent(reason=reason):
            return Retry(reason)
        case NotKnown(reason=reason):
            return Unknown(reason)
        case Response():
            return outcome(answer, tuple(warnings))


def _form(outgoing: Outgoing) -> list[tuple[str, str]]:
    fields = outgoing.fields
    form = [("To", str(fields["to"]))]
    for parameter, name in (
        ("From", "from"),
        ("MessagingServiceSid", "messaging_service_sid"),
        ("Body", "body"),
        ("ContentSid", "content_sid"),
    ):
        if fields.get(name):
            form.append((parameter, str(fields[name])))
    form += [("MediaUrl", str(url)) for url in fields.get("media_urls") or []]
    if fields.get("content_variables"):
        form.append(("ContentVariables", msgspec.json.encode(fields["content_variables"]).decode()))
    for parameter, name in (("SmartEncoded", "smart_encoded"), ("ShortenUrls", "shorten_urls")):
        if fields.get(name) is not None:
            form.append((parameter, "true" if fields[name] else "false"))
    form.append(("ValidityPeriod", str(_validity(fields, outgoing.send_by))))
    if outgoing.callback_url:
        form.append(("StatusCallback", outgoing.callback_url + RETRIES))
    return form


_QUOTED = [quote_plus(bytes([byte])) for byte in range(256)]


def _encoded(form: list[tuple[str, str]]) -> bytes:
    """Parameters have plain names, so only values are quoted: byte by byte, in a third of `quote_plus`'s time."""
    return "&".join([f"{name}={value.encode().decode('latin-1').translate(_QUOTED)}" for name, value in form]).encode()


def _validity(fields: dict[str, Any], send_by: int) -> int:
    """How long Twilio may queue it: no longer than until the send-by time, or a stale text goes out of Twilio's queue in place of ours."""
    left = (send_by - clock.now()) // clock.SECOND
    asked = int(fields.get("validity_period") or _LONGEST_VALIDITY)
    return max(1, min(asked, left, _LONGEST_VALIDITY))


def outcome(answer: Response, warnings: tuple[str, ...] = ()) -> Outcome:
    """What an answer comes to. Total: every status, code and body has an outcome."""
    found = api.content(answer)
    if 200 <= answer.status < 300:
        sid, status = found.get("sid"), found.get("status")
        if not isinstance(sid, str) or not sid or not isinstance(status, str):
            return Unknown(f"Twilio answered {answer.status}, but not with a message; it may have accepted it.")
        return Submitted(sid, status, _properties(found), warnings)
    code = api.code_of(found)
    error = errors.look_up(code, answer.status)
    reason = _reason(answer, found, code, error)
    if answer.status == 429:
        return Retry(reason, api.retry_after(answer), throttled=True)
    if answer.status >= 500 or error.kind is errors.Kind.AMBIGUOUS:
        return Unknown(reason)
    if error.kind is errors.Kind.OPT_OUT:
        return Suppressed(reason, str(code))
    if error.kind is errors.Kind.TRANSIENT:
        return Retry(reason, api.retry_after(answer) or _QUEUE_FULL_AFTER)
    if 300 <= answer.status < 400:
        return Rejected(f"{reason} The API address redirects, which oncue does not follow.", Blame.ACCOUNT)
    return Rejected(reason, errors.BLAME[error.kind], str(code or ""))


def _properties(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: found[source]
        for name, source in (("from", "from"), ("segments", "num_segments"))
        if found.get(source) is not None
    }


def _reason(answer: Response, found: dict[str, Any], code: int, error: errors.Error) -> str:
    said = str(found.get("message") or "").strip()
    text = f"{error.meaning} {error.remedy}".strip()
    if code:
        return f"{text} (Twilio {code}{': ' + said if said else ''})"
    return f"{text} (status {answer.status})" if str(answer.status) not in text else text
