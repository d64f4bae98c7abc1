"""The outbox: planned actions become messages, claimed at birth if a slot is free, else waiting.

A message's id follows from its event, rule and action, so that nothing can make it twice.
"""

from __future__ import annotations

import logging

import msgspec

from oncue.core import clock, ids
from oncue.core.adaptor import Impossible, Lane, Prepared
from oncue.core.event import Event, User
from oncue.core.message import State
from oncue.core.reasons import SENTENCES, Reason
from oncue.rules.duration import seconds
from oncue.rules.spec import Planned, RuleSpec
from oncue.store import consent, courtesy, report
from oncue.store.lanes import Lanes
from oncue.store.message import PRIORITY, Claimed, Message
from oncue.store.unit import Unit, decode, encode

log = logging.getLogger("oncue.store")

UNPREPARED = "This message could not be prepared because of a fault in oncue, which is in its log."


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One action of a rule that acted on an event."""

    event: Event
    user: User
    rule: RuleSpec
    planned: Planned


def place(unit: Unit, lanes: Lanes, plans: list[Plan]) -> None:
    """Make a message of each plan. Those that may go now and find a slot are claimed; refusals raise their events."""
    messages = [(draft(unit, plan), plan) for plan in plans]
    sendable = [message for message, _ in messages if message.state == State.WAITING]
    consent.load_for(unit, sendable)
    courtesy.load_for(unit, sendable)
    for message, plan in messages:
        if message.state == State.WAITING:
            refusal = consent.forbids(unit, message) or courtesy.restrain(unit, message)
            if refusal:
                message.state, message.reason = State.SUPPRESSED, f"{refusal[0]}: {refusal[1]}"
            else:
                claim_at_birth(unit, lanes, message)
        unit.add_message(message)
        if message.state in (State.SUPPRESSED, State.REJECTED):
            report.refuse(unit, message, plan.event.properties)


def claim_at_birth(unit: Unit, lanes: Lanes, message: Message) -> None:
    """Claim the message in the transaction that makes it, if the hour, its adaptor, its lane and a slot allow; else it waits."""
    pause = unit.snapshot.paused(message.adaptor, message.sender, message.country)
    if pause and pause.until_at > unit.now:
        message.due_at = max(message.due_at, pause.until_at)
    elif (
        message.due_at <= unit.now
        and unit.snapshot.active(message.adaptor)
        and lanes.take(message.adaptor, message.lane, message.per_second)
    ):
        claim(unit, message)
        return
    lanes.waits(message.adaptor, message.lane, message.per_second, message.due_at)


def claim(unit: Unit, message: Message) -> None:
    """This message is being sent, by this boot of this process."""
    fields = decode(message.fields)
    message.state, message.boot = State.SUBMITTING, unit.boot
    message.attempts += 1
    courtesy.sends(unit, message)
    unit.claimed.append(
        Claimed(
            id=message.id,
            adaptor=message.adaptor,
            action=message.action,
            attempt=message.attempts,
            fields=fields,
            recipient=message.recipient,
            send_by=message.send_by,
            lane=Lane(message.lane, message.per_second),
            at=clock.elapsed(),
        )
    )


def draft(unit: Unit, plan: Plan) -> Message:
    """The message that a plan makes, prepared by its adaptor or with the reason why not; nothing is written."""
    adaptor, _, action = plan.planned.action.partition(".")
    message = Message(
        id=ids.derived(plan.event.id, plan.rule.key, str(plan.planned.index)),
        user=plan.user.id,
        rule=plan.rule.key,
        event=plan.event.id,
        root=plan.event.root,
        depth=plan.event.depth,
        adaptor=adaptor,
        action=action,
        category=plan.rule.category.value,
        priority=PRIORITY[plan.rule.category],
        fields="{}",
        send_by=unit.now + int(seconds(plan.rule.send_within) * clock.SECOND),
        due_at=unit.now,
        created_at=unit.now,
        updated_at=unit.now,
    )
    _prepare(unit, plan, message)
    return message


def _prepare(unit: Unit, plan: Plan, message: Message) -> None:
    """Fill in what the adaptor makes of the fields, or why it cannot."""
    planned = plan.planned
    message.fields = encode(planned.fields).decode()
    if planned.problem is not None:
        # A value that is not there is our own refusal; one that cannot be sent is a failure, and a fallback rule hears of it.
        is_ours = planned.problem is Reason.MISSING_VALUE or unit.snapshot.catalogue[message.adaptor].builtin
        message.state = State.SUPPRESSED if is_ours else State.REJECTED
        message.reason = f"{planned.problem}: {planned.sentence or SENTENCES[planned.problem]}"
        return
    configured = unit.snapshot.adaptors.get(message.adaptor)
    if configured is None:
        message.state = State.SUPPRESSED
        message.reason = (
            f"{Reason.NOT_CONFIGURED}: The adaptor {message.adaptor} is not configured; configure it, then send again."
        )
        return
    action = unit.snapshot.catalogue[message.adaptor].action(message.action)
    if action is None:
        raise LookupError(f"The adaptor {message.adaptor} has no action {message.action}.")
    try:
        prepared = action.prepare(configured.config, planned.fields, plan.user.properties)
    except Exception:  # contained: the event and its other messages are not to blame
        log.exception("message %s could not be prepared because of a fault in oncue", message.id)
        prepared = Impossible("", UNPREPARED)
    match prepared:
        case Impossible(sentence=sentence):
            message.state, message.reason = State.REJECTED, f"{Reason.INVALID_FIELD}: {sentence}"
            message.recipient = str(planned.fields.get("to", ""))[:254]
        case Prepared():
            fill_in(message, prepared)


def fill_in(message: Message, prepared: Prepared) -> None:
    """What the adaptor makes of the fields."""
    message.fields = encode(prepared.fields).decode()
    message.recipient, message.sender, message.country = prepared.recipient, prepared.sender, prepared.country
    message.lane, message.per_second = prepared.lane.key, prepared.lane.per_second
    message.scopes = encode(prepared.scopes).decode()
    message.warnings = encode(prepared.warnings).decode()
