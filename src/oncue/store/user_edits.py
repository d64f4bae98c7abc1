"""What members change of users: by hand, with who did it kept in the same transaction, or from a file.

All of it is the writer's work like any other, since a user's properties are in its hands while events are taken in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oncue.core import ids
from oncue.store import audit, chain, consent, imports
from oncue.store.imports import Imported, Row
from oncue.store.jobs import Whole
from oncue.store.lanes import Lanes
from oncue.store.people import change_properties
from oncue.store.unit import Unit

BATCH = 200
"""Users of a file in one transaction: what else waits to be taken in does not wait long."""


class ChangeProperties(Whole, frozen=True, kw_only=True):
    """Merge these into the user's properties; None takes one away. Consent properties count as if the app had sent them."""

    by: str
    user: str
    properties: dict[str, Any]

    def want(self, unit: Unit) -> None:
        """The user, and what they said."""
        _want(unit, [self.user])

    def take(self, unit: Unit, lanes: Lanes) -> None:
        """After the events that came before."""
        user = unit.users[_whose(unit, self.user)]
        _settle(unit, lanes, [user.id])
        before = {name: user.properties.get(name) for name in self.properties}
        change_properties(unit, user, dict(self.properties), unit.now, self.by, ids.new())
        audit.record(self.by, "changed", "user", user.id, before=before, after=self.properties)


class SayConsent(Whole, frozen=True, kw_only=True):
    """The user said this to a category of messages, now; `reason` says where. Answers whether it counts: False if they said something later."""

    by: str
    user: str
    category: str
    state: str
    reason: str

    def want(self, unit: Unit) -> None:
        """The user, and what they said before."""
        _want(unit, [self.user])

    def take(self, unit: Unit, lanes: Lanes) -> bool:
        """With the event that says so, which rules may be triggered by."""
        user = _whose(unit, self.user)
        _settle(unit, lanes, [user])
        said = unit.consents.get((user, self.category))
        source = f"{self.reason} ({self.by})"
        consent.record(unit, user, self.category, self.state, source, unit.now)
        unit.change_user(unit.users[user])
        if unit.consents.get((user, self.category)) != (self.state, unit.now):
            return False
        before = {"category": self.category, "state": said[0] if said else None}
        after = {"category": self.category, "state": self.state}
        audit.record(self.by, "changed", "user", user, before=before, after=after, note=self.reason)
        return True


class ImportUsers(Whole, frozen=True, kw_only=True):
    """Take in some users of a file, as `imports` promises: nobody is opted in who had opted out, and no rule is triggered."""

    rows: Sequence[Row]
    source: str

    @property
    def size(self) -> int:
        """As many as there are users."""
        return len(self.rows)

    @property
    def line(self) -> str:
        """Its own: a long file takes turns with everything else."""
        return "import"

    def want(self, unit: Unit) -> None:
        """The users, and what they said."""
        _want(unit, [user for user, _ in self.rows])

    def take(self, unit: Unit, lanes: Lanes) -> Imported:
        """Events that say what a user's consent is now are kept, but considered by no rule."""
        _settle(unit, lanes, [user for user, _ in self.rows])
        before = len(unit.fresh)
        left_out = sum(imports.take_one(unit, user, dict(given), self.source) for user, given in self.rows)
        while len(unit.fresh) > before:
            unit.fresh.pop()
        return Imported(len(self.rows), left_out)


def _want(unit: Unit, users: Sequence[str]) -> None:
    for asked in (unit.wanted.users, unit.wanted.consents, unit.wanted.aliases):
        asked.update(users)


def _whose(unit: Unit, one: str) -> str:
    """The user that a member means: one by that id, or one whose anonymous id it was found to be."""
    known = unit.aliases.get(one)
    return known[0] if known and unit.users[one].anonymous is None else one


def _settle(unit: Unit, lanes: Lanes, users: Sequence[str]) -> None:
    """An event is considered with its user as they were then."""
    if not unit.awaiting.isdisjoint(users):
        chain.run(unit, lanes)
