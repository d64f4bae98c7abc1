"""A message as the store holds it in memory: one field a column, in the order of the table."""

from __future__ import annotations

from typing import Any

import msgspec

from oncue.core.adaptor import Adaptor, Lane
from oncue.core.message import Category, State


class Message(msgspec.Struct, kw_only=True, array_like=True):
    """A row of `store_message`. `fields`, `scopes` and `warnings` are JSON text; `raised` the statuses whose events exist, comma-separated."""

    id: str
    user: str
    rule: str
    event: str
    root: str
    depth: int
    adaptor: str
    action: str
    category: str
    priority: int
    fields: str
    recipient: str = ""
    sender: str = ""
    country: str = ""
    scopes: str = "[]"
    lane: str = ""
    per_second: float = 0.0
    warnings: str = "[]"
    state: str = State.WAITING
    reason: str = ""
    carrier_status: str = ""
    provider_id: str = ""
    error_code: str = ""
    error_message: str = ""
    raised: str = ""
    attempts: int = 0
    boot: str = ""
    send_by: int
    due_at: int
    created_at: int
    updated_at: int

    def scope_list(self) -> list[str]:
        """Whose opt-outs forbid this message."""
        return msgspec.json.decode(self.scopes, type=list[str]) if self.scopes != "[]" else []

    def changing(self) -> tuple[Any, ...]:
        """What may have changed of it."""
        return tuple(getattr(self, name) for name in CHANGING)

    def needs_consent(self, catalogue: dict[str, Adaptor] | Any) -> bool:
        """Whether it reaches a person, and so depends on what they said to its category."""
        adaptor = catalogue.get(self.adaptor)
        action = adaptor.action(self.action) if adaptor else None
        return bool(action and action.is_message)


FIELDS = Message.__struct_fields__
COLUMNS = tuple("user_id" if name == "user" else name for name in FIELDS)
"""`user` is a reserved word in PostgreSQL."""

CHANGING = (
    "sender",
    "state",
    "reason",
    "carrier_status",
    "provider_id",
    "error_code",
    "error_message",
    "raised",
    "attempts",
    "boot",
    "due_at",
    "updated_at",
)
"""Columns that change after the message is made."""

PRIORITY = {Category.TRANSACTIONAL: 0, Category.PROMOTIONAL: 1}


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is ours to send now. The claim is committed; `at` is when, on the steady clock."""

    id: str
    adaptor: str
    action: str
    attempt: int
    fields: dict[str, Any]
    recipient: str
    send_by: int
    lane: Lane
    at: float
