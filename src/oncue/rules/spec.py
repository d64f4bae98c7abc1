"""Rules as data: what a file or a form says, before it is compiled.

The same structs are stored, exported and compared; field values are Liquid templates as written.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from oncue.core.event import Event, User
from oncue.core.message import Category
from oncue.core.reasons import Reason

__all__ = ["ActionSpec", "Decision", "Event", "Planned", "RuleSpec", "RuleState", "Seen", "User"]


class RuleState(StrEnum):
    """`test` acts for test users only."""

    OFF = "off"
    TEST = "test"
    ON = "on"


class ActionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One action of a rule: `twilio.send_message` and its fields, each a template (a text, a list of texts, or nested for JSON)."""

    action: str
    fields: dict[str, Any]


class RuleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A rule. `key` is its identity: renaming a rule does not make a new one."""

    key: str
    name: str
    state: RuleState = RuleState.OFF
    category: Category = Category.TRANSACTIONAL
    triggers: tuple[str, ...]
    conditions: tuple[Any, ...] = ()
    """Each a text (`event.amount >= 10`), or `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}`. All must hold."""
    actions: tuple[ActionSpec, ...]
    send_within: str = "4h"
    """A message still unsent after this long is stale and expires (`90s`, `30m`, `4h`, `2d`)."""
    ignore_quiet_hours: bool = False
    """What a person waits for at any hour, such as a code to sign in with. For transactional rules only."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One condition as it was found: its text, the value seen (None with `missing` if there was none), whether it held."""

    condition: str
    held: bool
    seen: Any = None
    missing: bool = False
    parts: tuple[Seen, ...] = ()


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One action as rendered: its typed fields, or the reason it cannot be carried out."""

    action: str
    index: int
    fields: dict[str, Any]
    problem: Reason | None = None
    field: str = ""
    sentence: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Why a rule did or did not act on one event."""

    rule: str
    acted: bool
    reason: Reason
    sentence: str = ""
    conditions: tuple[Seen, ...] = ()
    planned: tuple[Planned, ...] = ()
