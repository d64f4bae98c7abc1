"""Results: what an attempt came to is recorded, and its consequences with it, in one transaction.

A process may die right after the provider answered: then the message stays `submitting`, and the next start calls it `unknown`.
"""

from __future__ import annotations

import logging

import msgspec

from oncue.core import backoff, clock
from oncue.core.adaptor import Adaptor
from oncue.core.message import IN_DOUBT, State
from oncue.core.outcome import Blame, Outcome, Rejected, Retry, Submitted, Suppressed, Unknown
from oncue.store import report
from oncue.store.lanes import Lanes
from oncue.store.message import Message
from oncue.store.unit import Unit, decode, encode

log = logging.getLogger("oncue.store")

PAUSE_FOR = 5 * clock.MINUTE
"""How long the account, a sender or a country rests after the provider refused it; then one message tries again."""

_PAUSING = (Blame.ACCOUNT, Blame.SENDER, Blame.COUNTRY)


class Attempted(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, over. `outcome` None: the claim had gone stale before anything was sent, so nothing was."""

    message: str
    adaptor: str
    number: int
    outcome: Outcome | None
    exchange: str = "[]"
    """JSON, secrets redacted."""
    started_at: int
    ended_at: int


def take(unit: Unit, lanes: Lanes, attempted: Attempted) -> None:
    """Record the attempt and move its message on. The message and its trigger are loaded."""
    message = unit.messages.get(attempted.message)
    if message is None:
        raise LookupError(f"There is no message {attempted.message}.")
    adaptor = unit.snapshot.catalogue[message.adaptor]
    outcome = attempted.outcome
    if outcome is None:
        message.attempts -= 1
        _wait(unit, lanes, message, unit.now)
        return
    name, reason = type(outcome).__name__, getattr(outcome, "reason", "")
    unit.add_attempt(
        message.id, attempted.number, name, reason, attempted.exchange, attempted.started_at, attempted.ended_at
    )
    unit.count("attempt", name)
    if _came_to_nothing(outcome):
        lanes.failed(message.lane)
    elif not isinstance(outcome, Retry):
        lanes.worked(message.lane)
    if isinstance(outcome, Submitted):
        _submitted(unit, adaptor, message, outcome)
    elif message.state in IN_DOUBT:  # else a callback proved that it was accepted, whatever this answer says
        _not_submitted(unit, lanes, adaptor, message, outcome)
        if message.state == State.UNKNOWN:  # it is looked for at the provider from then until now
            message.due_at = attempted.started_at
    unit.change_message(message)


def _came_to_nothing(outcome: Outcome) -> bool:
    """Whether the provider could not be reached or gave no answer of use. One that names a time to come back has answered."""
    if isinstance(outcome, Retry):
        return not outcome.throttled and outcome.after is None
    return isinstance(outcome, Unknown)


def _submitted(unit: Unit, adaptor: Adaptor, message: Message, outcome: Submitted) -> None:
    if outcome.warnings:
        message.warnings = encode([*decode(message.warnings), *outcome.warnings]).decode()
    sender = str(outcome.properties.get("from") or "")
    report.proof_of_acceptance(unit, adaptor, message, outcome.provider_id, outcome.status, sender)


def _not_submitted(unit: Unit, lanes: Lanes, adaptor: Adaptor, message: Message, outcome: Outcome) -> None:
    match outcome:
        case Retry(reason=reason, after=after, throttled=throttled):
            message.reason = reason
            if throttled:
                lanes.throttle(message.adaptor)
            _wait(unit, lanes, message, unit.now + int(backoff.after(message.attempts, after) * clock.SECOND))
        case Rejected(reason=reason, blame=blame, code=code) if blame in _PAUSING:
            message.error_code, message.reason = code, reason
            _pause(unit, lanes, message, blame, reason)
        case Rejected(reason=reason, code=code):
            message.state, message.reason, message.error_code, message.error_message = (
                State.REJECTED,
                reason,
                code,
                reason,
            )
            report.refuse(unit, message, {})
        case Suppressed(reason=reason, code=code):
            message.state, message.reason, message.error_code, message.error_message = (
                State.SUPPRESSED,
                reason,
                code,
                reason,
            )
            report.refused_for_consent(unit, adaptor, message, (), f"{adaptor.label} error {code}")
            report.refuse(unit, message, {})
        case Unknown(reason=reason):
            message.state, message.reason = State.UNKNOWN, reason
            log.warning("it is not known whether message %s was accepted: %s", message.id, reason)


def _pause(unit: Unit, lanes: Lanes, message: Message, blame: Blame, reason: str) -> None:
    key = {Blame.SENDER: message.sender, Blame.COUNTRY: message.country}.get(blame, "")
    until_at = unit.now + PAUSE_FOR
    log.error("%s: %s %s is paused for 5 minutes, its messages wait: %s", message.adaptor, blame.value, key, reason)
    unit.pause(message.adaptor, blame.value, key, reason, until_at)
    unit.count("pause", f"{message.adaptor} {blame.value}")
    _wait(unit, lanes, message, until_at)


def _wait(unit: Unit, lanes: Lanes, message: Message, due_at: int) -> None:
    if message.state in IN_DOUBT:
        message.state, message.due_at = State.WAITING, due_at
        lanes.waits(message.adaptor, message.lane, message.per_second, due_at)
        unit.change_message(message)
