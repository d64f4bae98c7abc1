"""Items: what the doors hand to the store, validated, and the verdict that comes back for each.

Whatever the wire format (native, Segment, Swrve), a door turns a request into these.
"""

from __future__ import annotations

from typing import Any

import msgspec


class EventItem(msgspec.Struct, frozen=True, kw_only=True):
    """An event to take in. `id` is the client's own, by which repeats are recognised; empty if it gave none."""

    user: str
    name: str
    properties: dict[str, Any]
    timestamp: int
    id: str = ""
    user_properties: dict[str, Any] | None = None


class UserItem(msgspec.Struct, frozen=True, kw_only=True):
    """Properties to merge into a user's; a property set to None is removed."""

    user: str
    properties: dict[str, Any]


class ConsentItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a user said to a category of messages: `state` is `opted_in` or `opted_out`, `source` says where they said it."""

    user: str
    category: str
    state: str
    source: str
    timestamp: int


Item = EventItem | UserItem | ConsentItem


class Verdict(msgspec.Struct, frozen=True):
    """What became of one item. `id` is ours (of the first copy, for a duplicate); `error` a sentence if it was rejected."""

    id: str | None = None
    duplicate: bool = False
    error: str = ""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as the doors know it: never the key itself."""

    id: str
    name: str
    per_second: float = 0.0
    """Items a second that this key may send; 0 is no limit."""
    scopes: frozenset[str] = frozenset({"events"})
    """What it may be used for: `events` (send them), `read`, `write`, `admin` (the management API)."""


class StoreUnavailable(Exception):
    """The store could not commit: nothing of this call was kept. The text says why, for the log."""


class Overloaded(Exception):
    """More is waiting to be committed than should be; `after` seconds from now there may be room."""

    def __init__(self, after: float) -> None:
        super().__init__(f"The server is taking in as much as it can; try again in {after:.0f} s.")
        self.after = after
