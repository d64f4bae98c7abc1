"""Segment's HTTP tracking API, which RudderStack's SDKs speak as well: `/v1/batch`, `/v1/track`, `/v1/identify` and the rest.

Facts: shared reference, part 4. An answer is 200 `{"success": true}`, with `rejected` where a message could not be kept; an error carries `code`
and `message`, which RudderStack's Python client reads.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from oncue.core import clock
from oncue.core.items import EventItem, Item, JoinItem, Key, Source, UserItem
from oncue.ingest import sdk
from oncue.ingest.answers import Hears, Refused, Scope, Send, answer_json, header, read_body

MOST_BYTES = 500 * 1024
MOST_MESSAGE_BYTES = 32 * 1024
MOST_REJECTED = 100
"""Listed in an answer."""

KINDS = ("track", "identify", "page", "screen", "group", "alias")
ROUTES = {f"/v1/{kind}": kind for kind in KINDS} | {
    "/v1/batch": "", "/v1/import": "", "/v1/b": "", "/v1/t": "track", "/v1/i": "identify", "/v1/p": "page", "/v1/s": "screen",
    "/v1/g": "group", "/v1/a": "alias",
}  # fmt: skip
"""Path → what a message is that does not say it; empty for a batch. The short ones are the browser's."""


class Segment:
    """The door for Segment's and RudderStack's SDKs."""

    def __init__(self, intake: sdk.Intake, reserved: tuple[str, ...]) -> None:
        self._intake = intake
        self._reserved = reserved

    async def hear(self, kind: str, scope: Scope, receive: Hears, send: Send) -> int:
        """Answer one request; returns the status. Raises `Refused`."""
        if scope["method"] != "POST":
            raise Refused(405, "Send this with POST.", (b"allow", b"POST, OPTIONS"))
        body = _read(await read_body(scope, receive, MOST_BYTES), kind)
        key = self._key(scope, body.writeKey)
        if not isinstance(body.batch, list):
            raise Refused(400, 'A batch is {"batch": [...]}.')
        if len(body.batch) > sdk.MOST_MESSAGES:
            raise Refused(413, f"A batch has at most {sdk.MOST_MESSAGES:,} messages; send it in parts.")
        now = clock.now()
        entries = (_message(one, kind, body.sentAt, now, self._reserved) for one in body.batch)
        taken = await self._intake.take(key, await sdk.in_turns(entries))
        if kind:
            taken.check()
        rejected = [{"index": index, "message": sentence} for index, sentence in taken.rejected[:MOST_REJECTED]]
        await answer_json(send, 200, {"success": True} | ({"rejected": rejected} if rejected else {}))
        return 200

    async def settings(self, token: str, base: str, send: Send) -> int:
        """What Segment's browser SDK asks for before it begins: where to send to."""
        if self._intake.key(token, Source.SEGMENT) is None:
            raise Refused(404, "There is no such write key.")
        scheme, _, host = base.partition("://")
        destination = {"apiKey": token, "apiHost": f"{host}/v1", "protocol": scheme}
        await answer_json(
            send,
            200,
            {"integrations": {"Segment.io": destination}, "plan": {"track": {"__default": {"enabled": True}}}},
        )
        return 200

    def _key(self, scope: Scope, in_the_body: Any) -> Key:
        token = _token(header(scope, b"authorization")) or in_the_body
        key = self._intake.key(token, Source.SEGMENT) if isinstance(token, str) else None
        if key is None:
            sentence = "Send a write key, as the user of Basic authorization or as writeKey. `oncue key create NAME --source segment` makes one."
            if token:
                sentence = "This write key is not known here, or is no key for Segment's SDKs; `oncue key create NAME --source segment` makes one."
            raise Refused(401, sentence, (b"www-authenticate", b'Basic realm="oncue"'))
        return key


def _token(authorization: bytes) -> str:
    scheme, _, rest = authorization.partition(b" ")
    if scheme.lower() == b"bearer":
        return rest.strip().decode("latin-1")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


class _Body(msgspec.Struct):
    """A request, as much of it as is looked at whole."""

    batch: Any = None
    writeKey: Any = None
    sentAt: Any = None


class _Batch(_Body):
    """A batch whose messages are read one by one."""

    batch: list[msgspec.Raw]


_decode_batch = msgspec.json.Decoder(_Batch).decode


def _read(body: bytes, kind: str) -> _Body:
    """Raises `Refused`."""
    if not kind:
        try:
            return _decode_batch(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass  # read as leniently as can be
    content = sdk.decoded(body)
    if not isinstance(content, dict):
        raise Refused(400, "The body must be a JSON object.")
    batch = [content] if kind else content.get("batch")
    return _Body(batch=batch, writeKey=content.get("writeKey"), sentAt=content.get("sentAt"))


def _message(given: Any, kind: str, sent_at: Any, now: int, reserved: tuple[str, ...]) -> sdk.Entry:
    try:
        size = len(given if isinstance(given, msgspec.Raw) else msgspec.json.encode(given))
        if size > MOST_MESSAGE_BYTES:
            return "The message is larger than 32 KB."
        if isinstance(given, msgspec.Raw):
            given = msgspec.json.decode(given)
    except (
        msgspec.MsgspecError,
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:  # half a character, an endless nest, a number that is none
        if isinstance(given, msgspec.Raw):
            return f"The message is not JSON that can be kept: {error}."
    return entry(given, kind, sent_at, now, reserved)


def entry(given: Any, kind: str, sent_at: Any, now: int, reserved: tuple[str, ...]) -> sdk.Entry:
    """What one message comes to."""
    if not isinstance(given, dict):
        return "A message is a JSON object."
    kind = kind or given.get("type") or ""
    if kind not in KINDS:
        return f"type must be one of: {', '.join(KINDS)}."
    if kind == "alias":
        return _alias(given)
    known, anonymous = sdk.user_id(given.get("userId")), sdk.user_id(given.get("anonymousId"))
    user = known or anonymous
    if said := sdk.unfit_user(user) if user else "A message needs a userId or an anonymousId.":
        return said
    traits = _traits(kind, given)
    if isinstance(traits, str):
        return traits
    at = sdk.happened((given.get("timestamp"), given.get("originalTimestamp"), given.get("sentAt"), sent_at), now)
    if isinstance(at, str):
        return at
    own, is_anonymous = sdk.own_id(given.get("messageId")), not known
    if kind == "identify":
        joined: list[Item] = []
        if known and anonymous and known != anonymous and not sdk.unfit_user(anonymous):
            joined.append(JoinItem(alias=anonymous, user=known, id=f"{own} join" if own else ""))
        return [*joined, UserItem(user=user, properties=traits, timestamp=at, id=own, anonymous=is_anonymous)]
    name, properties = _event(kind, given)
    if isinstance(properties, str):
        return properties
    if said := sdk.unfit_event(name, properties, reserved):
        return said
    item = EventItem(
        user=user, name=name, properties=properties, timestamp=at, id=own, user_properties=traits or None, anonymous=is_anonymous
    )  # fmt: skip
    return [item]


def _event(kind: str, given: dict[str, Any]) -> tuple[Any, dict[str, Any] | str]:
    """Its name and properties. A page, a screen and a group are events of these names; what they are called is a property."""
    if kind == "track":
        return given.get("event"), sdk.properties(given.get("properties"), "properties")
    if kind == "group":
        found = sdk.properties(given.get("traits"), "traits")
        return "segment.group", found if isinstance(found, str) else {
            **found,
            "group_id": sdk.user_id(given.get("groupId")),
        }
    found = sdk.properties(given.get("properties"), "properties")
    named = {name: given[name] for name in ("name", "category") if isinstance(given.get(name), str)}
    return f"segment.{kind}", found if isinstance(found, str) else sdk.properties({**named, **found}, "properties")


def _traits(kind: str, given: dict[str, Any]) -> dict[str, Any] | str:
    """Who the user is: `context.traits`, and over them `traits`, which are a group's in a group call. Segment calls a number `phone`, and keeps
    a time zone beside the traits; where the app does not say `phone_number` and `timezone`, they are taken for them."""
    context = given.get("context")
    context = context if isinstance(context, dict) else {}
    beside = sdk.properties(context.get("traits"), "context.traits")
    own = sdk.properties(given.get("traits") if kind == "identify" else None, "traits")
    if isinstance(beside, str) or isinstance(own, str):
        return beside if isinstance(beside, str) else own
    found = {**beside, **own}
    if isinstance(found.get("phone"), str) and "phone_number" not in found:
        found["phone_number"] = found["phone"]
    zone = context.get("timezone")
    if kind == "identify" and "timezone" not in found and isinstance(zone, str) and not sdk.unfit_user(zone):
        found["timezone"] = zone
    return found


def _alias(given: dict[str, Any]) -> sdk.Entry:
    before, user = sdk.user_id(given.get("previousId")), sdk.user_id(given.get("userId"))
    if not before or not user:
        return "An alias needs a previousId and a userId."
    return (
        sdk.unfit_user(before)
        or sdk.unfit_user(user)
        or [JoinItem(alias=before, user=user, id=sdk.own_id(given.get("messageId")))]
    )
