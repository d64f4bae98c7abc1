"""The tally: each message is counted once for each thing that it comes to, by rule, sender and country, in the transaction that says so.

What the overview reads. Names of counters are these words, with `.sender` or `.country` where their label is one; without, it is the rule.
"""

from __future__ import annotations

from bisect import bisect_left

from oncue.core.reasons import Reason
from oncue.store.message import Message
from oncue.store.unit import Unit

COMES_TO = ("submitted", "sent", "delivered", "undelivered", "failed", "rejected", "suppressed", "expired")
"""`submitted` is accepted by the carrier, whoever proves it; the next four are its words for what followed; the rest are refusals."""

_CARRIERS_WORDS = frozenset({"sent", "delivered", "undelivered", "failed"})
_BAD = frozenset({"undelivered", "failed", "rejected"})

LATENCY = "latency"
_BOUNDS = (50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000)
BUCKETS: dict[str, int | None] = {**{f"le_{bound}ms": bound for bound in _BOUNDS}, "more": None}
"""Labels of that counter → upper bounds in milliseconds, ascending. Each message is in one."""
_LABELS = tuple(BUCKETS)

_REASONS = frozenset(reason.value for reason in Reason)
LONGEST = 200
"""Characters of a label."""


def came_to(unit: Unit, message: Message, what: str) -> None:
    """The message came to this, which it had not before."""
    unit.count(what, message.rule)
    if message.sender:
        unit.count(f"{what}.sender", message.sender[:LONGEST])
    if message.country:
        unit.count(f"{what}.country", message.country)
    if what in _BAD and message.error_code:
        unit.count("error", f"{message.adaptor} {message.error_code}")
    if what == "suppressed":
        reason = message.reason.partition(":")[0]
        unit.count("suppressed.reason", reason if reason in _REASONS else "provider")


def carrier_says(unit: Unit, message: Message, word: str) -> None:
    """The carrier says so for the first time."""
    if word in _CARRIERS_WORDS:
        came_to(unit, message, word)


def submitted(unit: Unit, message: Message) -> None:
    """The carrier has it: counted, and how long it took since the message was made."""
    came_to(unit, message, "submitted")
    unit.count(LATENCY, _LABELS[bisect_left(_BOUNDS, unit.now - message.created_at)])
