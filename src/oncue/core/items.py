"""Items: what the doors hand to the store, validated, and the verdict that comes back for each.

Whatever the wire format (native, Segment, Swrve), a door turns a request into these.
"""

from __future__ import annotations

from enum import StrEnum
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
    anonymous: bool = False
    """Whether `user` is a device's or a visitor's id, which may be found to be a user's (`JoinItem`)."""


class UserItem(msgspec.Struct, frozen=True, kw_only=True):
    """Properties to merge into a user's; a property set to None is removed. `id` and `anonymous` as in `EventItem`."""

    user: str
    properties: dict[str, Any]
    timestamp: int = 0
    """When it was said; 0 is now. What was said of consent since then holds."""
    id: str = ""
    anonymous: bool = False


class ConsentItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a user said to a category of messages: `state` is `opted_in` or `opted_out`, `source` says where they said it."""

    user: str
    category: str
    state: str
    source: str
    timestamp: int


class JoinItem(msgspec.Struct, frozen=True, kw_only=True):
    """The one who was known by the anonymous id `alias` is `user`: what was theirs becomes the user's, and so does what comes of it from now on.
    `id` as in `EventItem`."""

    alias: str
    user: str
    id: str = ""


Item = EventItem | UserItem | ConsentItem | JoinItem


class Source(StrEnum):
    """Who speaks: our own format, or that of SDKs which people have already."""

    NATIVE = "native"
    SEGMENT = "segment"
    SWRVE = "swrve"

    @property
    def shortest_key(self) -> int:
        """Characters of a key that somebody thinks up: a shorter one can be guessed. Those of SDKs stand in apps for everybody to read."""
        return 16 if self is Source.NATIVE else 8


class Verdict(msgspec.Struct, frozen=True):
    """What became of one item. `id` is ours (of the first copy, for a duplicate); `error` a sentence if it was rejected."""

    id: str | None = None
    duplicate: bool = False
    error: str = ""
    is_ours: bool = False
    """Whether it was rejected because of a fault of oncue's own, and may be taken in once that is mended."""


class Standing(StrEnum):
    """How a user stood to a device that named them, in the words of Swrve's SDKs."""

    NEW = "new_external_id"
    MATCHING = "existing_external_id_with_matching_swrve_id"
    EXISTING = "existing_external_id"


class Identified(msgspec.Struct, frozen=True):
    """The id that a device goes by from now on."""

    device: str
    standing: Standing


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as the doors know it: never the key itself."""

    id: str
    name: str
    per_second: float = 0.0
    """Items a second that this key may send; 0 is no limit."""
    scopes: frozenset[str] = frozenset({"events"})
    """What it may be used for: `events` (send them), `read`, `write`, `admin` (the management API)."""
    source: str = Source.NATIVE
    """Whose wire format it opens."""
    app: int = 0
    """A Swrve app's number."""

    @property
    def origin(self) -> str:
        """Where its items' ids are told apart: an app's phones keep theirs when the app gets another key."""
        return self.family if self.app else self.id

    @property
    def family(self) -> str:
        """Whose anonymous ids its items give: those of a Swrve app, or of all that speaks Segment's format, whichever key they come with."""
        return f"{self.source} {self.app}" if self.app else self.source


class StoreUnavailable(Exception):
    """The store could not commit: nothing of this call was kept. The text says why, for the log."""


class Overloaded(Exception):
    """More is waiting to be committed than should be; `after` seconds from now there may be room."""

    def __init__(self, after: float) -> None:
        super().__init__(f"The server is taking in as much as it can; try again in {after:.0f} s.")
        self.after = after
