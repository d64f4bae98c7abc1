"""Reading items: JSON becomes events, users and consents, or a sentence for each thing that is wrong.

What is refused here could not be kept everywhere (NUL, integers past 64 bits), would hide something (reserved names), or is surely a
mistake (a timestamp in the wrong unit).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from oncue.core import clock
from oncue.core.items import ConsentItem, EventItem, Item, UserItem
from oncue.core.keeping import CONSENT_EVENTS, LONGEST_NAME, unfit_event_name, unfit_text, unfit_value
from oncue.core.message import Category

MOST_ITEMS = 1_000
MOST_BYTES = 1_000_000
MOST_ITEM_BYTES = 32_000
PAST = 30 * clock.DAY
FUTURE = clock.DAY

_FIELDS = {
    "event": frozenset({"type", "user", "name", "properties", "user_properties", "id", "timestamp"}),
    "user": frozenset({"type", "user", "properties"}),
    "consent": frozenset({"type", "user", "category", "state", "source", "timestamp"}),
}
_STATES = ("opted_in", "opted_out")


class _Wrong(Exception):
    """What is wrong with an item."""


class _Envelope(msgspec.Struct):
    items: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode = msgspec.json.Decoder().decode

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
_Scalar = str | float | bool | None | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Plain(msgspec.Struct, forbid_unknown_fields=True):
    """An event as nearly all are: its properties are scalars. The decoder checks nearly all of it; what it refuses, or `_SUSPECT` finds, is
    read step by step, which also knows the sentence for it."""

    user: _Name
    name: _Name
    type: Literal["event"] = "event"
    properties: dict[_Name, _Scalar] | None = None
    user_properties: dict[_Name, _Scalar] | None = None
    id: _Name | None = None
    timestamp: str | float | None = None


_decode_plain = msgspec.json.Decoder(_Plain).decode
_SUSPECT = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
"""NUL, or half of a character: in JSON they can only be written as escapes."""


class Batch(msgspec.Struct, frozen=True):
    """A request's items, each read or refused with a sentence, in order."""

    entries: list[Item | str]
    is_single: bool


def read(body: bytes, now: int, reserved: Sequence[str]) -> Batch | str:
    """The items of a request body, or what is wrong with the whole. Event names that begin with one of `reserved` are oncue's own."""
    prefixes = tuple(reserved)
    try:
        envelope = _decode_envelope(body)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError):
        return _read_faulty(body, now, prefixes)
    if envelope.items is msgspec.UNSET:
        return Batch([_entry(body, now, prefixes)], True)
    return _wrong_count(envelope.items) or Batch([_entry(bytes(one), now, prefixes) for one in envelope.items], False)


def _wrong_count(given: list[Any]) -> str:
    if len(given) > MOST_ITEMS:
        return f"A batch holds at most {MOST_ITEMS:,} items, and this one has {len(given):,}; send it in parts."
    return "" if given else "The list of items is empty."


def _read_faulty(body: bytes, now: int, prefixes: tuple[str, ...]) -> Batch | str:
    """What is wrong with a body. Where it is within one item (half an emoji, NaN), that one is refused and not its neighbours."""
    if not body.strip():
        return 'The body is empty; send an item such as {"type": "event", "user": "u1", "name": "booking_confirmed"}.'
    try:
        whole = json.loads(body.decode())
    except RecursionError:
        return "The body is not JSON that can be read: it nests too deep."
    except ValueError as error:
        return f"The body is not JSON: {error}."
    if not isinstance(whole, dict):
        return 'The body must be one item, or {"items": [...]}.'
    if "items" not in whole:
        return Batch([_faulty_entry(whole, now, prefixes)], True)
    given = whole["items"]
    if not isinstance(given, list):
        return "items must be a list."
    return _wrong_count(given) or Batch([_faulty_entry(one, now, prefixes) for one in given], False)


def _faulty_entry(given: Any, now: int, prefixes: tuple[str, ...]) -> Item | str:
    try:
        raw = json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return "The item holds half a character (one half of a surrogate pair), which cannot be kept."
    except RecursionError:
        return "The item nests too deep."
    return _entry(raw, now, prefixes)


def _entry(raw: bytes, now: int, prefixes: tuple[str, ...]) -> Item | str:
    if len(raw) > MOST_ITEM_BYTES:
        return f"An item has at most {MOST_ITEM_BYTES:,} bytes, and this one has {len(raw):,}."
    return _plain(raw, now, prefixes) or _step_by_step(raw, now, prefixes)


def _plain(raw: bytes, now: int, prefixes: tuple[str, ...]) -> EventItem | None:
    """The item, if it is a plain event without a fault."""
    if b'"$' in raw or (b"\\u" in raw and _SUSPECT.search(raw)):  # "$: a property's name may not begin so
        return None
    try:
        given = _decode_plain(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    user, name, own = given.user, given.name, given.id
    if (
        given.timestamp is not None
        or name.startswith(prefixes)
        or not name.isprintable()
        or user.isspace()
        or name.isspace()
        or (own is not None and own.isspace())
    ):
        return None
    return EventItem(
        user=user,
        name=name,
        properties=given.properties or {},
        timestamp=now,
        id=own or "",
        user_properties=given.user_properties,
    )


def _step_by_step(raw: bytes, now: int, prefixes: tuple[str, ...]) -> Item | str:
    try:
        given = _decode(raw)
        if not isinstance(given, dict):
            return "An item is a JSON object."
        return _item(given, now, prefixes)
    except _Wrong as wrong:
        return str(wrong)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return f"The item is not JSON: {error}."


def _item(given: dict[str, Any], now: int, prefixes: tuple[str, ...]) -> Item:
    kind = given.get("type", "event" if "name" in given else None)
    known = _FIELDS.get(kind) if isinstance(kind, str) else None
    if kind is None:
        raise _Wrong('An item needs a type: "event", "user" or "consent"; an event may leave it out, but needs a name.')
    if known is None:
        raise _Wrong(f'type must be "event", "user" or "consent", not {_shown(kind)}.')
    if not given.keys() <= known:
        unknown = sorted(given.keys() - known)[0]
        raise _Wrong(
            f"There is no field {unknown[:40]!r} in an item of type {kind}; there are: {', '.join(sorted(known))}."
        )
    user = _text(given, "user")
    if kind == "event":
        more = given.get("user_properties")
        name, properties = _name(given, prefixes), _properties(given, "properties")
        if name in CONSENT_EVENTS:
            _check_category(properties.get("category", Category.PROMOTIONAL))
        return EventItem(
            user=user,
            name=name,
            properties=properties,
            timestamp=_timestamp(given, now),
            id=_text(given, "id") if given.get("id") is not None else "",
            user_properties=_properties(given, "user_properties") if more is not None else None,
        )
    if kind == "user":
        return UserItem(user=user, properties=_properties(given, "properties"))
    return _consent(given, user, now)


def _consent(given: dict[str, Any], user: str, now: int) -> ConsentItem:
    category, state = given.get("category"), given.get("state")
    _check_category(category)
    if state not in _STATES:
        raise _Wrong(f"state must be opted_in or opted_out, not {_shown(state)}.")
    source = _text(given, "source") if given.get("source") is not None else ""
    return ConsentItem(
        user=user, category=str(category), state=str(state), source=source, timestamp=_timestamp(given, now)
    )


def _check_category(category: Any) -> None:
    if category not in list(Category):
        raise _Wrong(f"category must be transactional or promotional, not {_shown(category)}.")


def _name(given: dict[str, Any], prefixes: tuple[str, ...]) -> str:
    name = _text(given, "name")
    if said := unfit_event_name(name, "name", prefixes):
        raise _Wrong(said)
    return name


def _text(given: dict[str, Any], field: str) -> str:
    value = given.get(field)
    if not isinstance(value, str):
        raise _Wrong(
            f"{field} is required."
            if value is None
            else f"{field} must be a text, not {_shown(value)}; put quotes around it."
        )
    if said := unfit_text(value, field):
        raise _Wrong(said)
    return value


def _timestamp(given: dict[str, Any], now: int) -> int:
    value = given.get("timestamp")
    if value is None:
        return now
    if isinstance(value, str):
        try:
            at = clock.parse_iso(value)
        except (ValueError, OverflowError):
            raise _Wrong(f"timestamp {value[:40]!r} is not an ISO 8601 time such as 2026-11-23T17:00:00Z.") from None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        at = int(value)  # finite: JSON has no other numbers
        if abs(at) < 10_000_000_000:
            raise _Wrong("timestamp as a number is in milliseconds since 1970; this looks like seconds.")
    else:
        raise _Wrong(f"timestamp must be an ISO 8601 time or milliseconds since 1970, not {_shown(value)}.")
    if at < now - PAST:
        raise _Wrong("timestamp is more than 30 days ago.")
    if at > now + FUTURE:
        raise _Wrong("timestamp is more than a day ahead; is it in the wrong unit or time zone?")
    return at


def _properties(given: dict[str, Any], field: str) -> dict[str, Any]:
    value = given.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Wrong(f"{field} must be an object, not {_shown(value)}.")
    if said := unfit_value(value, field):
        raise _Wrong(said)
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = msgspec.json.encode(value).decode(errors="replace")
    return text if len(text) <= 60 else text[:57] + "…"
