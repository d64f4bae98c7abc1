"""Simulated phones as they are drawn: whose they are, and their bubbles, the newest last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from oncue.store import phones

SHOWN = 60
"""Bubbles of a phone."""

MOST = 12
"""Phones side by side."""

_AT_LEAST = 4
"""So many are there from the start, if there are users with numbers."""


class Bubble(msgspec.Struct, frozen=True, kw_only=True):
    """One text. `is_mine` is what the phone wrote."""

    is_mine: bool
    body: str
    pictures: tuple[str, ...]
    other: str
    """The number at the other end."""
    at: int


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """One phone. `mark` changes with its bubbles."""

    number: str
    id: str
    owner: str
    bubbles: tuple[Bubble, ...]
    mark: str
    writes_to: str
    """Where its answers go: whoever wrote to it last; empty for the carrier's own first number."""


def drawn(threads: dict[str, list[dict[str, Any]]], added: Sequence[str]) -> tuple[list[Phone], int]:
    """The phones to draw, and how many are left out. `added` are those that somebody asked for, which come first."""
    lively = sorted(threads, key=lambda number: threads[number][-1]["at"] if threads[number] else 0, reverse=True)
    wanted = list(dict.fromkeys([*added, *lively]))
    if len(wanted) < _AT_LEAST:
        wanted = list(dict.fromkeys([*wanted, *phones.newest(_AT_LEAST)]))
    shown = sorted(wanted[:MOST])
    owners = phones.owners(shown)
    return [_phone(number, threads.get(number, []), owners.get(number, "")) for number in shown], len(wanted) - len(
        shown
    )


def _phone(number: str, thread: list[dict[str, Any]], owner: str) -> Phone:
    heard = [one for one in thread if one["direction"] == "in"]
    return Phone(
        number=number,
        id="".join(filter(str.isalnum, number)),
        owner=owner,
        bubbles=tuple(_bubble(one) for one in thread[-SHOWN:]),
        mark=f"{len(thread)}-{thread[-1]['at']}" if thread else "0",
        writes_to=str(heard[-1].get("from") or "") if heard else "",
    )


def _bubble(one: dict[str, Any]) -> Bubble:
    is_mine = one["direction"] == "out"
    return Bubble(
        is_mine=is_mine,
        body=str(one.get("body") or ""),
        pictures=tuple(str(url) for url in one.get("media") or ()),
        other=str(one.get("to" if is_mine else "from") or ""),
        at=int(one["at"]),
    )
