"""What the ear that is fuzzed has behind it: two keys, and a store that looks at what it is given."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from reading import same

from oncue import adaptors
from oncue.core.adaptor import reserved
from oncue.core.items import (
    EventItem,
    Identified,
    Item,
    JoinItem,
    Key,
    Source,
    Standing,
    Verdict,
)
from oncue.core.keeping import BAD_TEXT, CONSENT_EVENTS, unfit_event_name, unfit_text, unfit_value
from oncue.ingest import items

NOW = 1_795_507_200_000
CATALOGUE = adaptors.load()
RESERVED = reserved(CATALOGUE)


def fit(item: Item) -> None:
    """It can be kept, as it is, by any store."""
    assert not unfit_text(item.user, "user")
    if isinstance(item, EventItem):
        assert not unfit_event_name(item.name, "name", RESERVED) or item.name in CONSENT_EVENTS
        assert not BAD_TEXT.search(item.id) and NOW - items.PAST <= item.timestamp <= NOW + items.FUTURE
    for properties in (getattr(item, "properties", {}), getattr(item, "user_properties", None) or {}):
        assert not unfit_value(properties, "properties")
        assert same(msgspec.json.decode(msgspec.json.encode(properties)), properties)
    if isinstance(item, JoinItem):
        assert not unfit_text(item.alias, "alias")


SEGMENT_KEY, SWRVE_KEY, APP = "segment-key-1", "swrve-key-1", 1234
SWRVE_TOKEN = f"{APP}=u1=1=" + hashlib.md5(f"u11{SWRVE_KEY}".encode(), usedforsecurity=False).hexdigest()


class Doors:
    """What the ear needs of the rest of the house: two keys, and a store that looks at what it is given."""

    public_url = "https://oncue.example.com"
    keys: ClassVar = {
        SEGMENT_KEY: Key(id="1", name="segment", source=Source.SEGMENT),
        SWRVE_KEY: Key(id="2", name="swrve", source=Source.SWRVE, app=APP),
    }

    def key(self, token: str) -> Key | None:
        return self.keys.get(token)

    def app_keys(self, app: int) -> list[tuple[str, Key]]:
        return [(SWRVE_KEY, self.keys[SWRVE_KEY])] if app == APP else []

    async def intake(self, key: Key, given: Sequence[Item]) -> list[Verdict]:
        for item in given:
            fit(item)
        return [Verdict(id="1") for _ in given]

    async def identify(self, key: Key, device: str, user: str) -> Identified:
        assert not unfit_text(device, "device") and not unfit_text(user, "user")
        return Identified(device, Standing.NEW)

    def inbound(self, adaptor: str, name: str) -> None:
        return None

    async def ready(self) -> str:
        return ""

    def metrics(self) -> str:
        return ""
