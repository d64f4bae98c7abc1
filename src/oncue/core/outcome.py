"""Outcomes: what one attempt to hand a message to a provider came to. Values, never exceptions."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Blame(StrEnum):
    """Whose fault a rejection is. A fault of the account, a sender or a country pauses just that."""

    MESSAGE = "message"
    RECIPIENT = "recipient"
    SENDER = "sender"
    COUNTRY = "country"
    ACCOUNT = "account"
    PROVIDER = "provider"


class Submitted(msgspec.Struct, frozen=True, tag=True):
    """The provider has it. `status` is the provider's first word for it, which raises `<adaptor>.<status>`."""

    provider_id: str
    status: str
    properties: dict[str, Any] = {}
    """What the provider said that an event or a person may want (`from`, `segments`, …)."""
    warnings: tuple[str, ...] = ()


class Retry(msgspec.Struct, frozen=True, tag=True):
    """Provably not processed: try again, not before `after` seconds if the provider named a time."""

    reason: str
    after: float | None = None
    throttled: bool = False
    """The provider asked for fewer calls at a time (429): the sender lowers its concurrency."""


class Rejected(msgspec.Struct, frozen=True, tag=True):
    """Refused for good, with the provider's code. Raises the adaptor's failure event."""

    reason: str
    blame: Blame = Blame.MESSAGE
    code: str = ""


class Suppressed(msgspec.Struct, frozen=True, tag=True):
    """The provider refuses because the person opted out there: we record the opt-out."""

    reason: str
    code: str = ""


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """It may have been processed. Never posted again blindly."""

    reason: str


Outcome = Submitted | Retry | Rejected | Suppressed | Unknown
