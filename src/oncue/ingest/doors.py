"""What the ear needs of the rest of the house. The store implements it; tests stand in for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from oncue.core.adaptor import Config, Inbound, Reply, Status
from oncue.core.items import Identified, Item, Key, Verdict


class Doors(Protocol):
    """Answers come after the commit."""

    @property
    def public_url(self) -> str:
        """What providers call; empty if there is none."""
        ...

    async def intake(self, key: Key, items: Sequence[Item]) -> list[Verdict]:
        """A verdict for each item, in order. Raises `StoreUnavailable`, `Overloaded`."""
        ...

    async def identify(self, key: Key, device: str, user: str) -> Identified:
        """The id by which a device goes that says whose it is. Raises `StoreUnavailable`, `Overloaded`."""
        ...

    async def reports(self, adaptor: str, reports: Sequence[Status | Reply]) -> None:
        """Take in what a provider says. Raises `StoreUnavailable`, `Overloaded`."""
        ...

    def key(self, token: str) -> Key | None:
        """The key with that value."""
        ...

    def app_keys(self, app: int) -> Sequence[tuple[str, Key]]:
        """A Swrve app's keys, each with its value, which its session tokens are made with."""
        ...

    def inbound(self, adaptor: str, name: str) -> tuple[Inbound, Config] | None:
        """A configured adaptor's door for its provider's calls."""
        ...

    async def ready(self) -> str:
        """Empty when the store commits, else a sentence."""
        ...

    @property
    def boot(self) -> str:
        """The id of this process."""
        ...

    def is_ours(self, ticket: str) -> bool:
        """Whether a program made it that has this installation's key."""
        ...

    def metrics(self) -> str:
        """Prometheus text."""
        ...
