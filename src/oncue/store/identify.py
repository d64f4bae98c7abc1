"""Identify, as Swrve's SDKs do it: a device with an id of its own says whose it is, and is told which id to go by from now on."""

from __future__ import annotations

import uuid

from oncue.core import ids
from oncue.core.items import Identified, Key, Standing
from oncue.store import joining
from oncue.store.jobs import Whole
from oncue.store.lanes import Lanes
from oncue.store.rows import one
from oncue.store.unit import Unit

_FIRST = "SELECT id FROM store_alias WHERE user_id = %s AND source = %s ORDER BY at, id"


class Identify(Whole, frozen=True):
    """The device known by `device` is used by `user`. Answers `Identified`."""

    key: Key
    device: str
    user: str

    @property
    def line(self) -> str:
        """That of the key."""
        return self.key.id

    def want(self, unit: Unit) -> None:
        """Both, and what they said."""
        for asked in (unit.wanted.aliases, unit.wanted.users, unit.wanted.consents):
            asked.update((self.device, self.user))

    def take(self, unit: Unit, lanes: Lanes) -> Identified:
        """A user goes by the id of the device that named them first. A device that somebody else used before is given a fresh one, so that
        their events stay apart."""
        source, user = self.key.family, self.user
        if self.device == user:
            return Identified(self.device, Standing.MATCHING)
        known = one(_FIRST, [user, source])
        if unit.aliases.get(self.device, (user, source)) == (user, source):
            joining.join(
                unit, lanes, self.device, user, source
            )  # refused if the id is that of a user whom the app has named
        found = known or one(_FIRST, [user, source])
        if found is None:
            fresh = str(uuid.UUID(ids.new()))  # their SDKs know ids in this form
            unit.load_users([fresh])
            joining.join(unit, lanes, fresh, user, source)
            return Identified(fresh, Standing.EXISTING)
        if found["id"] != self.device:
            return Identified(found["id"], Standing.EXISTING)
        return Identified(self.device, Standing.MATCHING if known else Standing.NEW)
