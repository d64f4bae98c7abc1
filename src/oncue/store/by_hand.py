"""A message that a member writes by hand: one event says who wrote it, and from there on it goes the way of every other message.

Opt-outs, consent, caps, pacing and pauses hold for it; no rule is triggered by its event. The same form sent twice makes one message,
since its id follows from the form's.
"""

from __future__ import annotations

from typing import Any

from oncue.core import ids
from oncue.core.event import Event, User
from oncue.core.message import Category
from oncue.rules.spec import Planned, RuleSpec
from oncue.store import outbox
from oncue.store.jobs import Whole
from oncue.store.lanes import Lanes
from oncue.store.unit import Unit

EVENT = "oncue.composed"

_RULE = RuleSpec(key="", name="By hand", category=Category.TRANSACTIONAL, triggers=(), actions=())
"""There is none: its key is empty."""


class Compose(Whole, frozen=True, kw_only=True):
    """Make the message. Answers its id, whether it goes, waits or is refused."""

    form: str
    """An id made when the form was shown."""
    by: str
    action: str
    """Its full name."""
    fields: dict[str, Any]
    """As the action's declaration types them."""
    address: str
    """Whom it reaches: the message is theirs who was last texted there, else of the one user who has this number, else nobody's."""

    @property
    def event(self) -> str:
        """The id of the event that says so."""
        return ids.derived(self.form, EVENT)

    @property
    def message(self) -> str:
        """The id of the message."""
        return ids.derived(self.event, "", "0")

    def want(self, unit: Unit) -> None:
        """Whether it is there already, and whose number it goes to."""
        unit.wanted.messages.add(self.message)
        unit.wanted.pairs.add((self.address, ""))

    def take(self, unit: Unit, lanes: Lanes) -> str:
        """Once."""
        if self.message in unit.messages:
            return self.message
        user = self._user(unit)
        event = Event(
            id=self.event, user=user.id, name=EVENT, properties={"by": self.by, "action": self.action},
            timestamp=unit.now, source="member", root=self.event,
        )  # fmt: skip
        unit.add_event(event, consider=False)
        planned = Planned(action=self.action, index=0, fields=self.fields)
        outbox.place(unit, lanes, [outbox.Plan(event=event, user=user, rule=_RULE, planned=planned)])
        return self.message

    def _user(self, unit: Unit) -> User:
        """As for a reply from there: or a test would make the next one nobody's."""
        known = [said for (address, _), said in unit.conversations.items() if address == self.address and said[0]]
        owners = unit.owners.get(self.address, [])
        found = max(known, key=lambda said: said[1])[0] if known else owners[0] if len(owners) == 1 else ""
        if not found:
            return User(id="", properties={})
        unit.load_users([found])
        return unit.users[found]
