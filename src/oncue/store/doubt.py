"""Messages in doubt: the provider may have them, and the answer that would say so was lost.

Settled by what the provider's list shows, read outside and decided here, in one transaction. A provider's message belongs to one of ours
at most. Those of ours to one number are settled together, in the order of their attempts. What may be it but reads otherwise is for a member
to decide. Only what the list lacked twice, a grace time apart, is sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import msgspec
from django.db import connection

from oncue.core.adaptor import Candidate, Sought
from oncue.core.message import State
from oncue.store import report
from oncue.store.adaptors import ANOTHER_ACCOUNT
from oncue.store.facts import AMONG
from oncue.store.jobs import Whole
from oncue.store.lanes import Lanes
from oncue.store.message import Message
from oncue.store.unit import Unit, encode

log = logging.getLogger("oncue.store")

MOST = 10_000
"""Messages in doubt of each adaptor that are known of at a time; the oldest."""

_UNKNOWN = "state IN ('submitting', 'unknown') AND state = 'unknown'"  # the words of the index that serves it

MAY_BE = "{label} has a message to this number that may be this one, but reads otherwise or is of another time. Compare them before you send it again."
NOT_THERE = (
    "{label} has no such message. It is held, because {label} is set to hold what was lost; send it again if you wish."
)
AGAIN = (
    "{label}'s list was read twice, a minute apart, and has no such message: it was not accepted, and is sent again."
)


class InDoubt(msgspec.Struct, frozen=True):
    """A message in doubt; `since` is when the attempt ended, or when oncue started after it had died (milliseconds)."""

    id: str
    adaptor: str
    recipient: str
    since: int


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for messages to one number. `absent`: those that an earlier look had lacked, long enough before."""

    messages: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    may_send_again: bool
    absent: frozenset[str]


def in_doubt() -> list[InDoubt]:
    """All that can be looked for, oldest first. Each adaptor has its share: those of one that cannot be asked crowd out nobody."""
    sql = (
        "SELECT id, adaptor, recipient, updated_at FROM (SELECT id, adaptor, recipient, updated_at, seq, "
        f"ROW_NUMBER() OVER (PARTITION BY adaptor ORDER BY seq) AS place FROM store_message WHERE {_UNKNOWN} AND NOT reason = %s) AS known "
        "WHERE place <= %s ORDER BY seq"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [ANOTHER_ACCOUNT, MOST])
        return [InDoubt(*row) for row in cursor.fetchall()]


def sought(messages: Iterable[str]) -> list[Sought]:
    """What is looked for, of those that are still in doubt: since the first attempt whose answer was lost, which the list may show late."""
    sql = (
        "SELECT id, fields, due_at, updated_at, (SELECT MIN(started_at) FROM store_attempt "
        "WHERE message = store_message.id AND outcome = 'NotThere') "
        f"FROM store_message WHERE id {AMONG} AND state = 'unknown'"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [encode(sorted(messages)).decode()])
        return [
            Sought(
                message=one, fields=msgspec.json.decode(fields), since=min(due_at, first_at or due_at), until=updated_at
            )
            for one, fields, due_at, updated_at, first_at in cursor.fetchall()
        ]


def under_way(recipients: Iterable[str], but: Iterable[str]) -> frozenset[str]:
    """Recipients to whom something else is being sent or in doubt: the list may show it, and whose it is cannot be said yet."""
    sql = (
        "SELECT DISTINCT recipient FROM store_message WHERE state IN ('submitting', 'unknown') "
        f"AND recipient {AMONG} AND NOT id {AMONG}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [encode(sorted(recipients)).decode(), encode(sorted(but)).decode()])
        return frozenset(row[0] for row in cursor.fetchall())


class Settle(Whole, frozen=True):
    """Settle what was looked for. Answers which messages the list lacked now; those that it lacked before are not among them."""

    adaptor: str
    looked: Sequence[Looked]

    @property
    def size(self) -> int:
        """How many messages."""
        return sum(len(one.messages) for one in self.looked)

    @property
    def line(self) -> str:
        """With the adaptor's reports."""
        return f"reports {self.adaptor}"

    def want(self, unit: Unit) -> None:
        """The messages, and whatever the candidates are bound to already."""
        for one in self.looked:
            unit.wanted.messages.update(one.messages)
            unit.wanted.provider_ids.update(candidate.status.provider_id for candidate in one.candidates)

    def take(self, unit: Unit, lanes: Lanes) -> frozenset[str]:
        """Number by number."""
        return frozenset(one for looked in self.looked for one in _settle(unit, lanes, self.adaptor, looked))

    def halves(self) -> tuple[Settle, Settle] | None:
        """The numbers, cut in the middle."""
        middle = len(self.looked) // 2
        return (
            (Settle(self.adaptor, self.looked[:middle]), Settle(self.adaptor, self.looked[middle:])) if middle else None
        )

    def join(self, first: frozenset[str], second: frozenset[str]) -> frozenset[str]:
        """Both."""
        return first | second

    def poisoned(self, error: Exception) -> frozenset[str]:
        """The one number stays as it is, which is in the log; the others are settled."""
        return frozenset()


def _settle(unit: Unit, lanes: Lanes, name: str, looked: Looked) -> list[str]:
    adaptor = unit.snapshot.catalogue[name]
    found = [unit.messages[one] for one in looked.messages if one in unit.messages]
    messages = sorted((one for one in found if one.state == State.UNKNOWN), key=lambda one: (one.due_at, one.id))
    free = [one for one in looked.candidates if (name, one.status.provider_id) not in unit.by_provider]
    free.reverse()  # oldest first
    left = []
    for message in messages:
        its = next((one for one in free if message.id in one.reads_like), None)
        if its is None:
            left.append(message)
            continue
        # A list that grows while its pages are read shows a message twice.
        free = [one for one in free if one.status.provider_id != its.status.provider_id]
        unit.count("found", name)
        report.take_status(unit, adaptor, msgspec.structs.replace(its.status, message_id=message.id))
    absent = []
    for message in left:
        if any(message.id in one.could_be for one in free):
            _hold(unit, message, MAY_BE.format(label=adaptor.label))
        elif message.id not in looked.absent:
            absent.append(message.id)
        elif looked.may_send_again:
            _send_again(unit, lanes, message, AGAIN.format(label=adaptor.label))
        else:
            _hold(unit, message, NOT_THERE.format(label=adaptor.label))
    return absent


def _hold(unit: Unit, message: Message, sentence: str) -> None:
    if message.reason != sentence:
        log.warning("message %s stays unknown: %s", message.id, sentence)
        since = message.updated_at  # when its attempt ended: the look must not move the time in which it is looked for
        message.reason = sentence
        unit.change_message(message)
        message.updated_at = since


def _send_again(unit: Unit, lanes: Lanes, message: Message, sentence: str) -> None:
    log.warning("message %s: %s", message.id, sentence)
    # It began when the attempt did: `sought` goes back as far.
    unit.add_attempt(message.id, message.attempts, "NotThere", sentence, "[]", message.due_at, unit.now)
    unit.count("sent_again", message.adaptor)
    message.state, message.reason, message.due_at = State.WAITING, sentence, unit.now
    lanes.waits(message.adaptor, message.lane, message.per_second, unit.now)
    unit.change_message(message)
