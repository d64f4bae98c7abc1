"""Swrve's formats become items: batches of its SDKs, and single calls of its Events API. Facts: shared reference, parts 1 to 3."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from oncue.core.items import EventItem, Item, Key, UserItem
from oncue.ingest import sdk

NAMES = {
    "session_start": "Swrve.session.start",
    "session_end": "Swrve.session.end",
    "buy_in": "Swrve.buy_in",
    "iap": "Swrve.iap",
    "purchase": "Swrve.user_purchase",
    "currency_given": "Swrve.currency_given",
    "user": "Swrve.user_properties_changed",
}
"""Type of an item → the name of its event, in Swrve's own words. `event` has a name of its own."""

_NUMBERS = frozenset({"cost", "quantity", "reward_amount", "given_amount"})
_ENVELOPE = frozenset({"type", "time", "seqnum", "payload", "user_initiated", "receipt", "receipt_signature"})
"""What is no property of an event. A store's receipt is long, and nobody's business here."""

_CAMPAIGNS = {"push": "Swrve.Messages.Push", "iam": "Swrve.Messages.Message", "geo": "Swrve.Messages.Geo"}
_ACTIONS = {"button_click": "click"}


SEALED = Key(id="", name="")
"""Stands for a key whose value nobody can read at present: what it would open may be right."""


def verified(token: Any, user: Any, keys: Callable[[int], Sequence[tuple[str, Key]]]) -> Key | None:
    """The key that a session token `app=user=seconds=md5(user + seconds + key)` was made with; `keys` finds an app's. The user may hold an equals
    sign. Every key is tried, each in constant time. A token does not expire: it is made when a session begins, and used again."""
    if not isinstance(token, str) or not isinstance(user, str) or not token.isprintable():
        return None
    rest, seconds, given = ["", "", *token.rsplit("=", 2)][-3:]
    app, _, named = rest.partition("=")
    if named != user or not app.isascii() or not app.isdigit() or len(app) > 15:
        return None
    found = None
    for value, key in keys(int(app)):
        if not value:
            found = found or SEALED
            continue
        made = hashlib.md5(f"{user}{seconds}{value}".encode(), usedforsecurity=False).hexdigest()
        if hmac.compare_digest(made.encode(), given.lower().encode()):
            found = key
    return found


def batch(content: Mapping[str, Any], now: int, reserved: tuple[str, ...]) -> Iterable[sdk.Entry] | str:
    """The entries of a batch in order of time and seqnum, in which they happened: phones send what they kept out of order. A sentence if
    there is no list, or too long a one."""
    given = content.get("data")
    if not isinstance(given, list):
        return 'A batch is {"user", "session_token", "data": [...]}.'
    if len(given) > sdk.MOST_MESSAGES:
        return f"A batch has at most {sdk.MOST_MESSAGES:,} items; send it in parts."
    user, device = str(content["user"]), sdk.user_id(content.get("unique_device_id"))
    return (entry(one, user, device, now, reserved) for one in sorted(given, key=_when))


def _when(one: Any) -> tuple[int, int]:
    return (_whole(one.get("time")), _whole(one.get("seqnum"))) if isinstance(one, dict) else (0, 0)


def _whole(given: Any) -> int:
    """A whole number, which may come as text; 0 if it is none."""
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 18:
        return int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) else 0


def entry(
    given: Any, user: str, device: str, now: int, reserved: tuple[str, ...], *, is_single: bool = False
) -> sdk.Entry:
    """What one item comes to: nothing at all, if its type is not known here. A single call repeated is two: it has no number."""
    if not isinstance(given, dict):
        return "An item is a JSON object."
    kind = given.get("type")
    at = sdk.happened([given.get("time")], now)
    if isinstance(at, str):
        return at
    name = _name(kind, given)
    if name is None and kind != "device_update":
        return []
    own = "" if is_single and not given.get("seqnum") else _own_id(given, user, device)
    if kind in ("device_update", "user"):
        found = sdk.properties(given.get("attributes"), "attributes")
        if isinstance(found, str):
            return found
        zone = found.get("swrve.timezone_name")
        if kind == "device_update":
            more = {"timezone": zone} if zone and "timezone" not in found else {}
            device_item = UserItem(user=user, properties={**found, **more}, timestamp=at, id=own, anonymous=True)
            return [device_item] if found else []
        return _event(user, name, found, at, own, found)
    payload = sdk.properties(given.get("payload"), "payload")
    if isinstance(payload, str):
        return payload
    fields = {} if kind == "event" else {one: value for one, value in given.items() if one not in _ENVELOPE}
    found = sdk.properties({**payload, **fields}, "The item")
    if isinstance(found, str):
        return found
    return sdk.unfit_event(name, found, reserved) or _event(user, name, found, at, own)


def _event(
    user: str, name: Any, properties: dict[str, Any], at: int, own: str, user_properties: dict[str, Any] | None = None
) -> list[Item]:
    return [
        EventItem(
            user=user, name=name, properties=properties, timestamp=at, id=own, user_properties=user_properties, anonymous=True
        )
    ]  # fmt: skip


def _name(kind: Any, given: Mapping[str, Any]) -> Any:
    """The event's name; None for a type that is no event, or not known."""
    if kind == "event":
        return given.get("name") or ""
    if kind == "generic_campaign_event":
        about, what = _CAMPAIGNS.get(str(given.get("campaignType"))), given.get("actionType")
        campaign = sdk.user_id(given.get("campaignId")) or sdk.user_id(given.get("id"))
        return f"{about}-{campaign}.{_ACTIONS.get(str(what), what)}" if about and isinstance(what, str) else None
    return NAMES.get(kind) if isinstance(kind, str) else None


def _own_id(given: Mapping[str, Any], user: str, device: str) -> str:
    """By what a repeat is known. `seqnum` begins anew when a browser forgets, so the time is part of it; without one, all of the item is."""
    number = _whole(given.get("seqnum")) or dict(given)
    return json.dumps([user, device, number, given.get("time"), given.get("type")], sort_keys=True)


_PARAMETERS = frozenset({"api_key", "user", "app_version", "swrve_payload", "user_initiated", "unique_device_id"})


def single(kind: str, given: Mapping[str, Any], raw_query: str) -> dict[str, Any] | str:
    """A single call's parameters as an item of a batch, or what is wrong with them."""
    payload = _payload(given.get("swrve_payload", ""), raw_query)
    if payload is None:
        return "swrve_payload is not a JSON object."
    rest = {name: value for name, value in given.items() if name not in _PARAMETERS}
    if kind == "user":
        return {"type": kind, "attributes": {**payload, **rest}}
    fields = {
        name: _number(value) if name in _NUMBERS and isinstance(value, str) else value for name, value in rest.items()
    }
    return {**fields, "type": kind, "payload": payload}


def _payload(text: Any, raw_query: str) -> dict[str, Any] | None:
    """The map that `swrve_payload` holds. Some clients do not encode it, so that an & in it ends the parameter: then it is read from the
    query as it came, as far as it goes."""
    if isinstance(text, dict):
        return text
    if not isinstance(text, str):
        return None
    if not text.strip():
        return {}
    for one in (text, unquote(raw_query.partition("swrve_payload=")[2])):
        found = _leading_map(one)
        if found is not None:
            return found
    return None


def _leading_map(text: str) -> dict[str, Any] | None:
    try:
        found, _ = json.JSONDecoder().raw_decode(text.strip())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _number(text: str) -> Any:
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text, re.ASCII):
        return text
    return float(text) if "." in text else int(text)
