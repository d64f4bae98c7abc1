"""Where an adaptor stands, in the document's words, and what switching it over will do."""

from __future__ import annotations

import msgspec

from oncue.core.adaptor import Adaptor
from oncue.store.adaptors import ACTIVE, Stored


class State(msgspec.Struct, frozen=True):
    """Its word, and the colour beside it."""

    word: str
    tone: str


NOT_CONFIGURED, IS_ACTIVE, IS_INACTIVE = (
    State("Not configured", "plain"),
    State("Active", "good"),
    State("Inactive", "warn"),
)


def look(stored: Stored | None) -> State:
    """Where it stands."""
    if stored is None:
        return NOT_CONFIGURED
    return IS_ACTIVE if stored.state == ACTIVE else IS_INACTIVE


def held_sentences(adaptor: Adaptor, state: State, waiting: int) -> str:
    """What switching it over will do, asked before; empty if there is nothing to ask."""
    one = waiting == 1
    what = f"{waiting:,} message{'' if one else 's'}"
    if state is IS_ACTIVE:
        held = f" {what} wait{'s' if one else ''} now." if waiting else ""
        return (
            f"Deactivate {adaptor.label}? Nothing is sent through it until it is activated again: messages are held until their send-by time,"
            f" then they expire.{held}"
        )
    if state is IS_INACTIVE and waiting:
        return f"Activate {adaptor.label}? {what} that waited {'is' if one else 'are'} sent now, if still in time."
    return ""
