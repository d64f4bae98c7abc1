"""Claims: messages that waited are taken up when a slot is free, their lane's turn has come and nothing forbids them any more."""

from __future__ import annotations

import logging

from django.db import connection

from oncue.core import clock
from oncue.core.message import State
from oncue.core.reasons import SENTENCES, STOPPED, Reason
from oncue.store import consent, courtesy, outbox, report
from oncue.store.facts import read_messages
from oncue.store.lanes import Lanes
from oncue.store.message import Message
from oncue.store.unit import Unit

log = logging.getLogger("oncue.store")

_DUE = "state = 'waiting' AND lane = ? AND priority = ? AND due_at <= ? ORDER BY due_at LIMIT ?"
_NEXT_DUE = "SELECT MIN(due_at) FROM store_message WHERE state = 'waiting' AND lane = %s AND priority = %s"
_STALE = "state = 'waiting' AND send_by < ? ORDER BY send_by LIMIT ?"

HELD_AT_ONCE = 500
"""Messages of a lane that are put off at once when night falls on what waits: its pacing is for sending."""

DOUBTED_AGAIN_AFTER = 5 * clock.SECOND
"""When a message is looked at again that is too late by a clock that has just leapt ahead, but not by what it said before."""

UNREADABLE = "oncue could not process this message because of a fault of its own, which is in its log."


def restore(lanes: Lanes) -> None:
    """Have the lanes know what waits in the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT adaptor, lane, MAX(per_second), MIN(due_at) FROM store_message WHERE state = 'waiting' GROUP BY adaptor, lane"
        )
        for adaptor, lane, per_second, due_at in cursor.fetchall():
            lanes.waits(adaptor, lane, per_second, due_at)


def claim_waiting(unit: Unit, lanes: Lanes) -> None:
    """Claim what may go now, lane by lane, transactional before promotional. Everything pending must be flushed."""
    for adaptor, lane in lanes.waiting():
        if not unit.snapshot.active(adaptor):
            continue
        wanted = min(lanes.free(adaptor), lanes.allowed(lane))
        due = _due(unit, lane, wanted)
        _claim(unit, lanes, due)
        if due and len(due) == wanted and all(_is_put_off(unit, one) for one in due):
            unit.flush()
            wanted = HELD_AT_ONCE
            due = _due(unit, lane, wanted)
            _claim(unit, lanes, due)
        if len(due) < wanted:
            unit.flush()
            lanes.due(lane, _next_due(lane))


def expire(unit: Unit, limit: int = 500) -> int:
    """Messages whose send-by time has passed are stale, whatever held them. Returns how many there were."""
    found = [unit.keep(message) for message in read_messages(_STALE, _surely(unit), limit)]
    stale = [
        message for message in found if message.state == State.WAITING
    ]  # no report of this transaction says otherwise
    for message in stale:
        message.state, message.reason = _why(message, None)
        unit.change_message(message)
    _refuse(unit, stale)
    return len(found)


def _surely(unit: Unit) -> int:
    """The time that it is at least, whichever clock is right."""
    return min(unit.now, unit.otherwise)


def _is_put_off(unit: Unit, message: Message) -> bool:
    return message.state == State.WAITING and message.due_at > unit.now


def _due(unit: Unit, lane: str, wanted: int) -> list[Message]:
    found: list[Message] = []
    for priority in (0, 1):
        if len(found) < wanted:
            found += read_messages(_DUE, lane, priority, unit.now, wanted - len(found))
    return found


def _claim(unit: Unit, lanes: Lanes, due: list[Message]) -> None:
    for message in due:
        unit.messages[message.id] = message
    consent.load_for(unit, due)
    courtesy.load_for(unit, due)
    refused = []
    for message in due:
        free = lanes.free(message.adaptor)
        try:
            is_refused = _claim_one(unit, lanes, message)
        except Exception:  # its row cannot be read; those behind it can
            log.exception("message %s cannot be claimed because of a fault in oncue", message.id)
            if lanes.free(message.adaptor) < free:
                lanes.release(message.adaptor)
            message.state, message.reason, is_refused = State.REJECTED, UNREADABLE, True
        if is_refused:
            refused.append(message)
        unit.change_message(message)
    _refuse(unit, refused)


def _claim_one(unit: Unit, lanes: Lanes, message: Message) -> bool:
    """Returns whether it is refused."""
    refusal = consent.forbids(unit, message)
    pause = unit.snapshot.paused(message.adaptor, message.sender, message.country)
    if unit.snapshot.is_stopped(message.rule):
        message.state, message.reason = State.CANCELED, f"{Reason.RULE_OFF}: {STOPPED}"
        unit.count("message", message.state)
    elif message.send_by < _surely(unit) or (refusal := refusal or courtesy.restrain(unit, message)):
        message.state, message.reason = _why(message, refusal)
        return True
    elif message.send_by < unit.now:
        message.due_at = unit.now + DOUBTED_AGAIN_AFTER
    elif pause and pause.until_at > unit.now:
        message.due_at = max(message.due_at, pause.until_at)
    elif message.due_at <= unit.now and lanes.take_waiting(message.lane):
        outbox.claim(unit, message)
    return False


def _why(message: Message, refusal: tuple[Reason, str] | None) -> tuple[State, str]:
    if refusal:
        return State.SUPPRESSED, f"{refusal[0]}: {refusal[1]}"
    held = f" ({message.reason})" if message.reason else ""
    return State.EXPIRED, f"{Reason.TOO_LATE}: {SENTENCES[Reason.TOO_LATE]}{held}"


def _refuse(unit: Unit, messages: list[Message]) -> None:
    unit.load_triggers(one.event for one in messages)
    for message in messages:
        unit.count("message", message.state)
        report.refuse(unit, message, {})


def _next_due(lane: str) -> int | None:
    with connection.cursor() as cursor:
        times = []
        for priority in (0, 1):
            cursor.execute(_NEXT_DUE, [lane, priority])
            times.append(cursor.fetchone()[0])
    return min((one for one in times if one is not None), default=None)
