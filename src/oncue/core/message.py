"""The states of a message: ours in `State`, the provider's word kept beside it in `carrier_status`.

`state` says what oncue has done; `carrier_status` what the provider says became of it. The two move
independently, each only forward; `docs/states.md` draws both.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from oncue.core import clock


class State(StrEnum):
    """Where a message stands with us."""

    WAITING = "waiting"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    CANCELED = "canceled"


IN_DOUBT = (State.SUBMITTING, State.UNKNOWN)
"""States that any proof of acceptance (a 201, a callback, the provider's list) settles as ACCEPTED."""


REDACTED_AT, SEGMENTS = "$redacted_at", "$segments"
"""All that is left of a message's fields when its content was taken away: when that was, and how many segments it took."""


def redacted_on(fields: Mapping[str, Any] | None) -> str:
    """What stands in place of a message's content, `[redacted on 2026-05-03]`; empty while the content is there."""
    at = (fields or {}).get(REDACTED_AT)
    return redacted(at) if at else ""


def redacted(at: int) -> str:
    """What stands in place of a text that was taken away then (milliseconds)."""
    return f"[redacted on {clock.iso(at)[:10]}]"


class Category(StrEnum):
    """What a rule's messages are for. Promotional ones go only to people who opted in."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"


def later(ranks: dict[str, int], current: str, reported: str) -> str:
    """The status to keep of two: the one of higher rank, so that the order of arrival does not matter.

    `ranks` is the adaptor's total order of statuses; a status it does not list (a new word of the provider's)
    never replaces a known one, but replaces nothing at all ("").
    """
    if not current:
        return reported
    return reported if ranks.get(reported, -1) > ranks.get(current, -1) else current
