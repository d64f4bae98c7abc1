"""Sending a message again: a copy of it, under an id of its own, through the same checks of consent, opt-outs and the hour.

A message that did not arrive may be sent again for a reason; one that did, or that may still, only when a member insists.
"""

from __future__ import annotations

import msgspec

from oncue.core import ids
from oncue.core.adaptor import Impossible
from oncue.core.message import State, redacted_on
from oncue.core.reasons import Reason
from oncue.store import audit, consent, courtesy, outbox
from oncue.store.facts import AMONG
from oncue.store.jobs import Whole
from oncue.store.lanes import Lanes
from oncue.store.message import Message
from oncue.store.refusal import Refused
from oncue.store.rows import Row, rows
from oncue.store.unit import Unit, decode, encode

MOST = 20
"""Times that one message can be sent again."""

REDACTED = "What it said was redacted, so that there is nothing to send again; send the event again."

_UNDER_WAY = {
    State.WAITING: "It is still waiting, and will be sent when its turn comes.",
    State.SUBMITTING: "It is being sent at this moment.",
    State.UNKNOWN: "It is not known whether the provider has it, so the person may get it twice.",
}
_FAILED = frozenset({"failed", "undelivered", "canceled"})


def copies(message: str) -> list[Row]:
    """The times it was sent again, the earliest first: id, state, created_at."""
    sql = f"SELECT id, state, created_at FROM store_message WHERE id {AMONG} ORDER BY seq"
    return rows(sql, [encode([_copy_id(message, number) for number in range(MOST)]).decode()])


def next_number(message: str) -> int:
    """What to give to `Resend`: read it when the button is shown, so that pressing it twice sends once."""
    return len(copies(message))


def hindrance(state: str, carrier_status: str) -> str:
    """Why it takes a member who insists to send such a message again; empty if it does not."""
    found = _UNDER_WAY.get(State(state))
    if found:
        return found
    if state != State.ACCEPTED or carrier_status in _FAILED:
        return ""
    return f"The provider has it, and says that it is {carrier_status or 'accepted'}; the person would get it twice."


class Resend(Whole, frozen=True, kw_only=True):
    """Send a message again, for the `number`-th time (from 0). Answers the copy's id. Raises `Refused`.

    `force` sends it whatever its state. A copy that consent, an opt-out or a cap forbids is not made; in quiet hours it waits for the morning.
    """

    message: str
    number: int
    by: str
    reason: str
    force: bool = False

    def want(self, unit: Unit) -> None:
        """The message, and the copy in case there is one."""
        unit.wanted.messages.update((self.message, _copy_id(self.message, self.number)))

    def take(self, unit: Unit, lanes: Lanes) -> str:
        """Once for each number."""
        one = _copy_id(self.message, self.number)
        if one in unit.messages:
            return one
        original = unit.messages.get(self.message)
        if original is None:
            raise Refused("There is no such message.")
        self._check(unit, original)
        copy = _copied(unit, original, one)
        consent.load_for(unit, [copy])
        courtesy.load_for(unit, [copy])
        refusal = consent.forbids(unit, copy) or courtesy.restrain(unit, copy)
        if refusal:
            raise Refused(refusal[1])
        outbox.claim_at_birth(unit, lanes, copy)
        unit.add_message(copy)
        reason = self.reason.strip()
        audit.record(self.by, "sent again", "message", original.id, after={"message": one}, note=reason)
        audit.record(self.by, "created", "message", one, note=f"{original.id} again: {reason}")
        return one

    def _check(self, unit: Unit, original: Message) -> None:
        hindered = hindrance(original.state, original.carrier_status)
        if not self.reason.strip():
            raise Refused("Say why it is sent again; the reason is kept.")
        if not 0 <= self.number < MOST:
            raise Refused(f"It was sent again {MOST} times; that is enough.")
        if hindered and not self.force:
            raise Refused(hindered)
        if redacted_on(decode(original.fields)):
            raise Refused(REDACTED)
        if unit.snapshot.is_stopped(original.rule):
            raise Refused(f"The rule {original.rule} is off, so nothing of it is sent; turn it on first.")


def _copied(unit: Unit, original: Message, one: str) -> Message:
    if original.adaptor not in unit.snapshot.adaptors:
        raise Refused(f"The adaptor {original.adaptor} is not configured; configure it first.")
    copy = msgspec.structs.replace(
        original,
        id=one,
        state=State.WAITING,
        send_by=unit.now + original.send_by - original.created_at,
        due_at=unit.now,
        created_at=unit.now,
        updated_at=unit.now,
        attempts=0,
        **dict.fromkeys(
            ("reason", "carrier_status", "provider_id", "error_code", "error_message", "raised", "boot"), ""
        ),
    )
    _prepare(unit, original, copy)
    return copy


def _prepare(unit: Unit, original: Message, copy: Message) -> None:
    """Anew: its sender may be paced otherwise by now. What an adaptor made ready once, it makes ready the same way again."""
    reason, _, sentence = original.reason.partition(": ")
    action = unit.snapshot.catalogue[original.adaptor].action(original.action)
    if action is None or not (
        original.lane or reason == Reason.NOT_CONFIGURED
    ):  # a value was missing, or is none that can be sent
        raise Refused(f"It would fail again: {sentence or reason} Mend that, then send the event again.")
    unit.load_users([original.user])
    config, user = unit.snapshot.adaptors[original.adaptor].config, unit.users[original.user]
    prepared = action.prepare(config, decode(original.fields), user.properties)
    if isinstance(prepared, Impossible):
        raise Refused(prepared.sentence)
    outbox.fill_in(copy, prepared)


def _copy_id(message: str, number: int) -> str:
    return ids.derived(message, "resend", str(number))
