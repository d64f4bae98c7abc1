"""The way back: the addresses that a provider calls, and where people's messages to each sender go."""

from __future__ import annotations

from typing import Any

import msgspec

from oncue.core.adaptor import Adaptor
from oncue.store.adaptors import Stored
from oncue.web import senders
from oncue.web.backstage import behind

_WORDS = {"status": "Statuses", "message": "Incoming messages"}


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of the calls that a provider makes."""

    has_any: bool
    urls: tuple[tuple[str, str, str], ...]
    """(name, what it is for, address)."""
    is_polled: bool
    can_check: bool
    senders: tuple[tuple[str, str, str, str], ...]
    """(sender, its name, `here`, `elsewhere` or `nowhere`, address): where people's messages to it go."""
    can_point: bool


def calls(adaptor: Adaptor, stored: Stored | None) -> Calls:
    """Of this adaptor."""
    public_url = behind().public_url
    urls = [
        (one.name, _WORDS.get(one.name, one.name), f"{public_url}/hooks/{adaptor.name}/{one.name}")
        for one in adaptor.inbound
    ]
    wanted = incoming(adaptor)
    found = _senders(stored.found if stored else {}, wanted)
    return Calls(
        has_any=bool(adaptor.inbound),
        urls=tuple(urls) if public_url else (),
        is_polled=bool(adaptor.poll and not public_url),
        can_check=bool(public_url and adaptor.probe and adaptor.status_inbound and stored),
        senders=tuple(found) if wanted else (),
        can_point=bool(wanted) and any(where != "here" for _, _, where, _ in found),
    )


def incoming(adaptor: Adaptor) -> str:
    """Where people's messages are to be sent; empty without a public URL, or if the adaptor hears none."""
    doors = [one.name for one in adaptor.inbound if one.name != adaptor.status_inbound]
    public_url = behind().public_url
    return f"{public_url}/hooks/{adaptor.name}/{doors[0]}" if public_url and doors and adaptor.set_inbound else ""


def _senders(found: dict[str, Any], wanted: str) -> list[tuple[str, str, str, str]]:
    """A sender that leaves it to others (None) is left out."""
    rows = []
    for one in found.get("senders", []):
        goes = one.get("inbound_url")
        if goes is not None:
            where = "here" if goes == wanted else "elsewhere" if goes else "nowhere"
            rows.append((str(one.get("name")), senders.label(one), where, goes))
    return rows
