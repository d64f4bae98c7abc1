"""The Messages resource: create, fetch, list, update, delete, media."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from oncue.core import clock
from oncue.simulator import defaults, magic
from oncue.simulator.answers import Form, Problem
from oncue.simulator.gsm import count_segments
from oncue.simulator.world import Message, World, rfc2822, sid

API = "/2010-04-01"
FINAL = ("delivered", "undelivered", "failed", "canceled", "read", "received")


def create(world: World, account: str, form: Form) -> Message:
    """Validate and accept a message. Raises `Problem`."""
    to, sender = form.get("To", "").strip(), form.get("From", "").strip()
    service_sid = form.get("MessagingServiceSid", "").strip()
    _check_recipient(to)
    _check_sender(world, account, to, sender, service_sid)
    body, media = form.get("Body", ""), form.lists.get("MediaUrl", [])
    _check_content(form, body, media)
    _check_options(form, service_sid)
    if (sender, to) in world.blocks or (service_sid, to) in world.blocks:
        raise Problem(400, 21610, "Attempt to send to unsubscribed recipient")
    now = clock.now()
    status = "scheduled" if form.get("ScheduleType") else "accepted" if service_sid else "queued"
    message = Message(
        index=len(world.order),
        sid=sid("MM" if media or form.get("SendAsMms") == "true" else "SM"),
        account=account,
        to=to,
        sender=sender,
        service=service_sid,
        body=body,
        media=list(media),
        status=status,
        segments=0 if service_sid else count_segments(body),
        callback=form.get("StatusCallback") or (world.services[service_sid].status_callback if service_sid else ""),
        created_at=now,
        updated_at=now,
        parameters={name: form.lists[name] if name == "MediaUrl" else value for name, value in form.items()},
    )
    return world.add(message)


def _check_recipient(to: str) -> None:
    if not to:
        raise Problem(400, 21604, "A 'To' phone number is required.")
    if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
        raise Problem(400, 21211, f"Invalid 'To' Phone Number: {_masked(to)}")


def _check_sender(world: World, account: str, to: str, sender: str, service_sid: str) -> None:
    if not sender and not service_sid:
        raise Problem(400, 21603, "A 'From' phone number is required.")
    if account == defaults.TEST_ACCOUNT_SID:
        magic.check(to, sender)
    if service_sid and service_sid not in world.services:
        raise Problem(400, 21705, f"The Messaging Service Sid {service_sid} is invalid.")
    if service_sid and not world.services[service_sid].pool and not sender:
        raise Problem(400, 21704, "The Messaging Service contains no phone numbers.")
    if not sender:
        return
    if sender == to:
        raise Problem(400, 21266, "'To' and 'From' number cannot be the same")
    if account == defaults.TEST_ACCOUNT_SID or sender in world.numbers:
        return
    if re.fullmatch(r"[A-Za-z0-9 +\-_&]{1,11}", sender) and re.search("[A-Za-z]", sender):
        return
    if not re.fullmatch(r"\+?\d{3,15}", sender):
        raise Problem(400, 21212, f"Invalid From Number (caller ID): {sender}")
    raise Problem(400, 21659, f"'From' {sender} is not a Twilio phone number or Short Code country mismatch")


def _check_content(form: Form, body: str, media: list[str]) -> None:
    if not body and not media and not form.get("ContentSid"):
        raise Problem(400, 21619, "A text message body or media urls must be specified.")
    if len(body.encode("utf-16-le")) // 2 > 1600:
        raise Problem(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    if len(media) > 10:
        raise Problem(400, 21623, "Number of media files exceeds allowed limit")
    for url in media:
        if not re.fullmatch(r"https?://[^\s/]+\S*", url):
            raise Problem(400, 21620, f"Invalid media URL(s): {url}")
    content = form.get("ContentSid")
    if content and not re.fullmatch("HX[0-9a-fA-F]{32}", content):
        raise Problem(400, 21654, "The ContentSid is invalid")


def _check_options(form: Form, service_sid: str) -> None:
    validity = form.get("ValidityPeriod")
    if validity is not None and not (re.fullmatch("[0-9]{1,5}", validity) and 1 <= int(validity) <= 36_000):
        raise Problem(400, 21624, "ValidityPeriod must be an integer between 1 and 36000")
    for name in ("SmartEncoded", "ShortenUrls", "ProvideFeedback", "SendAsMms"):
        if form.get(name, "true") not in ("true", "false"):
            raise Problem(400, 21653, f"{name} must be true or false")
    callback = form.get("StatusCallback", "")
    if callback and (
        len(callback) > 4000 or not re.fullmatch(r"https?://([^\s/?#@]*@)?[^\s/?#@_]+([/?#]\S*)?", callback)
    ):
        raise Problem(400, 21609, f"The 'StatusCallback' URL {callback[:100]} is not a valid URL.")
    if form.get("ScheduleType") and (not service_sid or not form.get("SendAt")):
        raise Problem(
            400, 35111 if service_sid else 35118, "A scheduled message needs a MessagingServiceSid and a SendAt"
        )
    if form.get("ScheduleType") and not 300 <= _seconds_until(form["SendAt"]) <= 35 * 86_400:
        raise Problem(400, 35114, "SendAt must be a time in UTC, from 300 seconds to 35 days ahead")


def _seconds_until(text: str) -> float:
    try:
        return (clock.parse_iso(text) - clock.now()) / clock.SECOND
    except ValueError:
        return -1


def _masked(to: str) -> str:
    return to[:4] + "X" * max(0, len(to) - 4)


def fetch(world: World, account: str, message_sid: str) -> Message:
    """A message of the account. Raises `Problem`."""
    message = world.messages.get(message_sid)
    if message is None or message.account != account:
        where = f"{API}/Accounts/{account}/Messages/{message_sid}.json"
        raise Problem(404, 20404, f"The requested resource {where} was not found")
    return message


def update(world: World, message: Message, form: Form) -> bool:
    """Cancel or redact; whether it was canceled. Raises `Problem`.

    twilio.com/docs/api/errors/30400 says what the form may hold. What is not complete is refused as for a deletion; Twilio documents the
    code for that alone.
    """
    if ("Status" in form) == ("Body" in form) or form.get("Status", "canceled") != "canceled" or form.get("Body"):
        raise Problem(400, 30400, "A message can be canceled (Status=canceled) or redacted (Body=)")
    if "Status" in form:
        if message.status not in ("accepted", "scheduled", "queued"):
            raise Problem(400, 30409, "Message is in a final state and cannot be canceled")
        world.move(message, "canceled")
        return True
    if message.status not in FINAL:
        raise Problem(409, 20009, "Cannot redact this resource before it is complete")
    message.body = ""
    message.parameters.pop("Body", None)
    message.updated_at = clock.now()
    return False


def delete(world: World, message: Message) -> None:
    """Forget a message for good. Raises `Problem`."""
    if message.status not in FINAL and message.status != "sent":
        raise Problem(409, 20009, "Cannot delete this resource before it is complete")
    del world.messages[message.sid]
    world.order[message.index].account = ""  # its place stays, so that pages do not shift
    world.by_to[message.to].remove(message)


def page(world: World, account: str, query: Form) -> dict[str, Any]:
    """One page of the list, newest first. Pages are followed by token: new messages do not shift them."""
    try:
        size = min(1000, max(1, int(query.get("PageSize") or 50)))
        number = int(query.get("Page") or 0)
        dates = [
            (holds, clock.parse_iso(query[name]), len(query[name]) == 10)
            for name, holds in (("DateSent", _same_day), ("DateSent<", _not_after), ("DateSent>", _not_before))
            if query.get(name)
        ]
    except ValueError as error:
        raise Problem(400, 20001, str(error)) from None
    token = query.get("PageToken", "")
    below = int(token[2:]) if re.fullmatch(r"PA\d+", token) else len(world.order)
    source = world.by_to[query["To"]] if query.get("To") else world.order
    found: list[Message] = []
    more = False
    for message in reversed(source):
        if message.index >= below or message.account != account or query.get("From", message.sender) != message.sender:
            continue
        sent_at = message.sent_at // clock.SECOND * clock.SECOND  # to the second, as `date_sent` shows it
        if dates and not (sent_at and all(holds(sent_at, asked, is_day) for holds, asked, is_day in dates)):
            continue
        if len(found) == size:
            more = True
            break
        found.append(message)
    kept = [(name, value) for name, value in query.items() if name not in ("Page", "PageToken")]
    base = f"{API}/Accounts/{account}/Messages.json"
    after = [*kept, ("Page", str(number + 1)), ("PageToken", f"PA{found[-1].index}")] if more else []
    return {
        "messages": [to_json(message) for message in found],
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": max(0, number * size + len(found) - 1),
        "uri": f"{base}?{urlencode(query)}",
        "first_page_uri": f"{base}?{urlencode([*kept, ('Page', '0')])}",
        "next_page_uri": f"{base}?{urlencode(after)}" if more else None,
        "previous_page_uri": None,
    }


def _same_day(sent_at: int, asked: int, is_day: bool) -> bool:
    return sent_at // clock.DAY == asked // clock.DAY


def _not_after(sent_at: int, asked: int, is_day: bool) -> bool:
    return sent_at < asked + clock.DAY if is_day else sent_at <= asked


def _not_before(sent_at: int, asked: int, is_day: bool) -> bool:
    return sent_at >= asked


def to_json(message: Message) -> dict[str, Any]:
    """As Twilio writes it."""
    uri = f"{API}/Accounts/{message.account}/Messages/{message.sid}"
    return {
        "sid": message.sid,
        "account_sid": message.account,
        "messaging_service_sid": message.service or None,
        "to": message.to,
        "from": message.sender or None,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "num_segments": str(message.segments),
        "num_media": str(len(message.media)),
        "date_created": rfc2822(message.created_at),
        "date_updated": rfc2822(message.updated_at),
        "date_sent": rfc2822(message.sent_at),
        "price": None,
        "price_unit": "USD",
        "error_code": message.error_code or None,
        "error_message": None,
        "api_version": "2010-04-01",
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def delete_medium(message: Message, medium_sid: str) -> None:
    """Forget one of the pictures; how many there were stays. Raises `Problem`."""
    found = media_json(message, medium_sid)
    if message.status not in FINAL:
        raise Problem(409, 20009, "Cannot delete this resource before it is complete")
    place = int(found["sid"][-4:])
    # Another list: the phone that it was delivered to keeps its own.
    message.media = ["" if index == place else url for index, url in enumerate(message.media)]
    message.parameters.pop("MediaUrl", None)


def _kept(message: Message) -> list[int]:
    return [index for index, url in enumerate(message.media) if url]


def media_json(message: Message, medium_sid: str = "") -> dict[str, Any]:
    """The media of a message, or one of them. Raises `Problem`."""
    uri = f"{API}/Accounts/{message.account}/Messages/{message.sid}/Media"
    listed = [
        {
            "sid": f"ME{message.sid[2:30]}{index:04d}",
            "account_sid": message.account,
            "parent_sid": message.sid,
            "content_type": "image/jpeg",
            "date_created": rfc2822(message.created_at),
            "date_updated": rfc2822(message.created_at),
            "uri": f"{uri}/ME{message.sid[2:30]}{index:04d}.json",
        }
        for index in _kept(message)
    ]
    if medium_sid:
        for medium in listed:
            if medium["sid"] == medium_sid:
                return medium
        raise Problem(404, 20404, f"The requested resource {uri}/{medium_sid}.json was not found")
    return {
        "media_list": listed,
        "page": 0,
        "page_size": 50,
        "start": 0,
        "end": max(0, len(listed) - 1),
        "uri": f"{uri}.json",
        "first_page_uri": f"{uri}.json",
        "next_page_uri": None,
        "previous_page_uri": None,
    }
