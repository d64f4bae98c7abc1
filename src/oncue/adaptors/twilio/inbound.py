"""What Twilio calls: statuses of messages, and messages from people. Verified first, otherwise pure."""

from __future__ import annotations

from typing import Any

from oncue.adaptors.twilio import errors, words
from oncue.adaptors.twilio.signature import Parameters, verify
from oncue.core import ids
from oncue.core.adaptor import Config, Heard, Refused, Reply, Request, Status

_EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
_OPTED_OUT_CODES = ("21610", "30630")


def status(config: Config, request: Request) -> Heard | Refused:
    """`/hooks/twilio/status/<message id>`."""
    found = _verified(config, request)
    if isinstance(found, Refused):
        return found
    if (
        found.get("SmsStatus") == "received"
    ):  # somebody pointed a number's incoming messages here: a STOP among them must not be lost
        return _heard_message(found)
    word = (found.get("MessageStatus") or found.get("SmsStatus") or "").strip().lower()
    sid = found.get("MessageSid") or found.get("SmsSid") or ""
    if not word or not sid:
        return Refused("A status callback has MessageSid and MessageStatus.", 400)
    report = status_report(
        word,
        sid=sid,
        message_id=request.tail if ids.is_id(request.tail) else "",
        sender=found.get("From", ""),
        recipient=found.get("To", ""),
        service=found.get("MessagingServiceSid", ""),
        code=found.get("ErrorCode", ""),
        said=found.get("ErrorMessage", ""),
        raw=found,
    )
    return Heard(reports=(report,))


def status_report(
    word: str,
    *,
    sid: str,
    message_id: str,
    sender: str,
    recipient: str,
    service: str,
    code: str,
    said: str,
    raw: dict[str, Any],
    implied: tuple[str, ...] = (),
) -> Status:
    """A status, however it was learned. A word that is not known yet is passed on as it is."""
    code = "" if code == "0" else code
    return Status(
        message_id=message_id,
        provider_id=sid,
        status=word,
        first_status="accepted" if service else "queued",
        implied=implied,
        error_code=code,
        error_message=errors.sentence(int(code), said) if code.isdecimal() else said,
        sender=sender,
        recipient=recipient,
        opts_out=code in _OPTED_OUT_CODES,
        scopes=tuple(filter(None, (sender, service))),
        raw=raw,
    )


def message(config: Config, request: Request) -> Heard | Refused:
    """`/hooks/twilio/message`: a person wrote."""
    found = _verified(config, request)
    return found if isinstance(found, Refused) else _heard_message(found)


def _heard_message(found: dict[str, str]) -> Heard | Refused:
    sid = found.get("MessageSid") or found.get("SmsMessageSid") or found.get("SmsSid") or ""
    if not sid or not found.get("From"):
        return Refused("An incoming message has MessageSid and From.", 400)
    count = found.get("NumMedia", "0")
    media = min(int(count), 10) if count.isdecimal() else 0
    urls = [found[name] for index in range(media) if (name := f"MediaUrl{index}") in found]
    report = reply_report(
        sid=sid,
        sender=found["From"],
        to=found.get("To", ""),
        body=found.get("Body", ""),
        service=found.get("MessagingServiceSid", ""),
        opt_out_type=found.get("OptOutType", ""),
        num_media=media,
        media_urls=urls,
    )
    # No reply in TwiML: Twilio answers STOP, START and HELP itself, and a second answer to STOP would be refused.
    return Heard(reports=(report,), answer=_EMPTY_TWIML, content_type="text/xml")


def reply_report(
    *,
    sid: str,
    sender: str,
    to: str,
    body: str,
    service: str,
    opt_out_type: str,
    num_media: int,
    media_urls: list[str],
    received_at: int = 0,
) -> Reply:
    """A reply, however it was learned."""
    properties: dict[str, Any] = {
        "body": body,
        "from": sender,
        "to": to,
        "message_sid": sid,
        "num_media": num_media,
        "media_urls": media_urls,
    }
    if service:
        properties["messaging_service_sid"] = service
    if opt_out_type:
        properties["opt_out_type"] = opt_out_type
    return Reply(
        provider_id=sid,
        address=sender,
        sender=to,
        # An opt-out covers the number it was sent to and, if that is in a messaging service, the whole service.
        scopes=tuple(filter(None, (to, service))),
        body=body,
        consent=words.meaning(body, opt_out_type),
        properties=properties,
        received_at=received_at,
    )


def _verified(config: Config, request: Request) -> dict[str, str] | Refused:
    """The parameters of a call that is Twilio's and about this account. The last value of a repeated name counts."""
    verified: Parameters | Refused = verify(config, request)
    if isinstance(verified, Refused):
        return verified
    found = {name.replace("\0", ""): value.replace("\0", "") for name, value in verified}
    # Some callbacks carry no AccountSid; the signature is the proof.
    if found.get("AccountSid", config["account_sid"]) != config["account_sid"]:
        return Refused("This call is about another account.", 403)
    return found
