"""Consent: what people said, by category and by number, and what follows from it for a message.

Two ledgers. `Consent` is what a user said to a category of messages (a property, an event or the API); `OptOut` is what a number said
to one sender or messaging service (a reply, or the provider's refusal). A message needs both to allow it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from oncue.core import ids
from oncue.core.event import Event
from oncue.core.message import Category
from oncue.core.reasons import Reason
from oncue.store.message import Message
from oncue.store.unit import Unit

OPTED_IN, OPTED_OUT = "opted_in", "opted_out"

PROPERTIES = {f"consent_{category}": category.value for category in Category}
"""User properties that set consent: `consent_promotional: true`."""

EVENTS = {"oncue.opted_in": OPTED_IN, "oncue.opted_out": OPTED_OUT}
"""Events that set consent, with a property `category`."""


def record(
    unit: Unit, user: str, category: str, state: str, source: str, at: int, parent: str = "", cause: Event | None = None
) -> str:
    """Keep what the user said, unless they said something later; raise `oncue.opted_in`/`oncue.opted_out` if it is new.

    Returns the event's id, empty if nothing changed. The user's consents must be loaded. `cause` is the event whose rule says so: the
    chain goes on, or two rules that take back what the other says would never end.
    """
    at = said_at(unit, state, at)
    before = unit.consents.get((user, category))
    if before and (before[1] > at or (before[0] == state and before[1] == at)):
        return ""
    unit.set_consent(user, category, state, source, at)
    if before and before[0] == state:
        return ""
    name = f"oncue.{state}"
    event_id = ids.derived(parent, user, name, category, source) if parent else ids.new()
    event = Event(
        id=event_id, user=user, name=name, properties={"category": category, "source": source}, timestamp=at,
        source="consent", root=event_id,
    )  # fmt: skip
    if cause:
        event = msgspec.structs.replace(event, cause=cause.id, root=cause.root, depth=cause.depth + 1)
        unit.descendants[cause.root] = unit.descendants.get(cause.root, 0) + 1
    unit.add_event(event)
    return event_id


def categories(state: str, said: Any) -> list[str]:
    """Which categories an app means. One that is none here opts nobody in, and out of everything: who says no is not asked how they spell it."""
    known = str(said).strip().lower() if isinstance(said, str) else ""
    if known in list(Category):
        return [known]
    return [category.value for category in Category] if state == OPTED_OUT else []


def said_at(unit: Unit, state: str, at: int) -> int:
    """When it counts from: an opt-in from a clock that is ahead must not outlive the opt-out that follows."""
    return min(at, unit.now) if state == OPTED_IN else at


def forbids(unit: Unit, message: Message) -> tuple[Reason, str] | None:
    """Why this message may not go to its recipient now, if it may not. Opt-outs and consents must be loaded."""
    for scope in message.scope_list():
        ledger = unit.opt_outs.get((message.recipient, scope))
        if ledger and ledger.opted_out:
            return Reason.OPTED_OUT, f"{message.recipient} opted out of messages from {scope} ({ledger.source})."
    if not message.needs_consent(unit.snapshot.catalogue):
        return None
    said = unit.consents.get((message.user, message.category))
    if message.category == Category.PROMOTIONAL and (said is None or said[0] != OPTED_IN):
        what = "opted out of" if said else "has not opted in to"
        return Reason.NO_CONSENT, f"{message.user} {what} promotional messages."
    if said and said[0] == OPTED_OUT:
        return Reason.NO_CONSENT, f"{message.user} opted out of {message.category} messages."
    return None


def load_for(unit: Unit, messages: list[Message]) -> None:
    """Have what `forbids` reads at hand, for all of them at once."""
    unit.ask_opt_outs(one.recipient for one in messages if one.recipient and one.scopes != "[]")
    unit.ask_consents({one.user for one in messages})
    unit.fetch()
