"""What a fresh installation still needs before it sends its first message: four steps, each ticked by itself when it is done."""

from __future__ import annotations

import msgspec

from oncue.rules.spec import RuleState
from oncue.store import progress
from oncue.store.config import Snapshot


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step, and the page on which it is done."""

    label: str
    help: str
    href: str
    is_done: bool


def first_steps(snapshot: Snapshot) -> list[Step]:
    """In the order that works; empty once all are done."""
    steps = [
        Step(
            label="Make an API key",
            help="Your app sends its events with it.",
            href="/settings/keys",
            is_done=bool(snapshot.keys),
        ),
        Step(
            label="Configure an adaptor",
            help="The connection to the provider that carries your messages.",
            href="/adaptors",
            is_done=any(
                one.is_active and not snapshot.catalogue[name].builtin for name, one in snapshot.adaptors.items()
            ),
        ),
        Step(
            label="Make a rule and turn it on",
            help="It says which event sends which message to whom.",
            href="/rules",
            is_done=any(state is not RuleState.OFF for state in snapshot.states.values()),
        ),
        Step(
            label="Send an event",
            help="From your app, or a test event from the Events page.",
            href="/events",
            is_done=bool(progress.newest()["events"]),
        ),
    ]
    return [] if all(one.is_done for one in steps) else steps
