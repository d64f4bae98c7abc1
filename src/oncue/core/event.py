"""Events and users: what happened, and to whom.

These are the values that every room passes around; rows in the database are made from them and
never leave `store/`.
"""

from __future__ import annotations

from typing import Any

import msgspec

MAX_DEPTH = 10
"""A chain of events that cause one another is cut at this depth, visibly."""

MAX_DESCENDANTS = 50
"""And one event may cause this many others in all."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a user.

    `timestamp` is when it happened, as the reporter says; `id` is ours, time-prefixed. `cause` is the id of
    the message or event that brought it about, `root` the id of the event that began the chain, and
    `depth` how many links lie between.
    """

    id: str
    user: str
    name: str
    properties: dict[str, Any]
    timestamp: int
    source: str = ""
    cause: str = ""
    root: str = ""
    depth: int = 0


class User(msgspec.Struct, kw_only=True):
    """A person who uses the customer's app. `properties` is changed in place while a group is processed."""

    id: str
    properties: dict[str, Any]
    anonymous: bool | None = None
    """Whether nobody has said who it is: known by a device's or a visitor's id alone. None: not kept yet."""

    @property
    def is_test(self) -> bool:
        """Marked as a test user by the property `test_user: true`; rules in state `test` act for these only."""
        return self.properties.get("test_user") is True
