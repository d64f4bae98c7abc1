"""Foreseeing: what would become of a rule's actions, by the very functions that carry them out, and without writing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from oncue.core.adaptor import Action, Preview
from oncue.core.message import State
from oncue.rules.spec import RuleSpec
from oncue.store import consent, courtesy, outbox
from oncue.store.config import Snapshot
from oncue.store.message import Message
from oncue.store.outbox import Plan
from oncue.store.unit import Unit, decode

SENDS, WAITS, REFUSED, DOES = "sends", "waits", "refused", "does"


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of one action: `outcome` is sends, waits, refused, or does (nothing is sent: a property is set, an event raised)."""

    action: str
    index: int
    outcome: str
    reason: str = ""
    """A word of `core.reasons`, if it waits or is refused."""
    sentence: str = ""
    fields: dict[str, Any]
    recipient: str = ""
    sender: str = ""
    preview: Preview | None = None
    warnings: tuple[str, ...] = ()


def imagined(snapshot: Snapshot, rule: RuleSpec, now: int, *, caps: bool = True) -> Unit:
    """A working set that is never written, in which the rule stands as it is given."""
    wakeful = snapshot.wakeful - {rule.key} | ({rule.key} if rule.ignore_quiet_hours else set())
    policy = snapshot.policy if caps else msgspec.structs.replace(snapshot.policy, cap_messages=0)
    return Unit(msgspec.structs.replace(snapshot, wakeful=wakeful, policy=policy), now, "", frozenset())


def foresee(unit: Unit, plans: Sequence[Plan], *, then: bool = False) -> list[Foreseen]:
    """What would become of each. With `then`, quiet hours are looked at as they were when the event happened, not now."""
    drafts = []
    for plan in plans:
        if then:
            unit.now = plan.event.timestamp
        drafts.append(outbox.draft(unit, plan))
    waiting = [one for one in drafts if one.state == State.WAITING]
    consent.load_for(unit, waiting)
    courtesy.load_for(unit, waiting)
    return [_foreseen(unit, plan, message, then) for plan, message in zip(plans, drafts, strict=True)]


def _foreseen(unit: Unit, plan: Plan, message: Message, then: bool) -> Foreseen:
    action = unit.snapshot.catalogue[message.adaptor].action(message.action)
    fields = decode(message.fields)
    outcome, reason = DOES, ""
    if message.state != State.WAITING:
        outcome, reason = REFUSED, message.reason
    elif action and action.send:
        if then:
            unit.now = plan.event.timestamp
        outcome, reason = _allowed(unit, message)
    code, _, sentence = reason.partition(": ")
    return Foreseen(
        action=plan.planned.action,
        index=plan.planned.index,
        outcome=outcome,
        reason=code,
        sentence=sentence,
        fields=fields,
        recipient=message.recipient,
        sender=message.sender,
        preview=_preview(action, fields),
        warnings=tuple(decode(message.warnings)),
    )


def _allowed(unit: Unit, message: Message) -> tuple[str, str]:
    """(outcome, `code: sentence`) of a message that could be sent."""
    refusal = consent.forbids(unit, message) or courtesy.restrain(unit, message)
    if refusal:
        return REFUSED, f"{refusal[0]}: {refusal[1]}"
    if message.due_at > unit.now:
        return WAITS, message.reason
    pause = unit.snapshot.paused(message.adaptor, message.sender, message.country)
    if pause and pause.until_at > unit.now:
        return WAITS, f"paused: It would wait: {pause.reason}"
    if not unit.snapshot.active(message.adaptor):
        return WAITS, f"inactive: It would wait, since the adaptor {message.adaptor} is not active."
    return SENDS, ""


def _preview(action: Action | None, fields: Mapping[str, Any]) -> Preview | None:
    return action.preview(fields) if action and action.preview else None
