"""Bodies: what messages and replies say is taken away when it is old enough; that they were sent, to whom and what came of it stays.

Rows are in the order of their making, so a place in each table says how far it was done. A message that still waits, or whose end nobody
knows, keeps its content, since it may have to be sent or looked for; it is noted, and looked at again each time.
"""

from __future__ import annotations

from itertools import takewhile

import msgspec
from django.db import connection

from oncue.core.message import IN_DOUBT, State
from oncue.store.facts import AMONG, encode
from oncue.store.jobs import Whole
from oncue.store.lanes import Lanes
from oncue.store.reply_bodies import redact_replies
from oncue.store.rows import Row, rows
from oncue.store.sent_bodies import redact_messages
from oncue.store.unit import Unit

MOST = 250
"""Messages or replies in one transaction."""

MOST_OPEN = 5_000
"""Messages that are noted because they are not finished; with more of them, it goes on when some are."""

OPEN = (State.WAITING, *IN_DOUBT)

_PLACE = "bodies_redacted"
_MESSAGE = (
    "SELECT seq, id, adaptor, action, state, fields, recipient, sender, reason, error_message, warnings, raised, provider_id, "
    "created_at AS at FROM store_message WHERE seq "
)


class Place(msgspec.Struct):
    """How far it is done: the keys of the last message and the last reply, and the messages before that are not finished."""

    messages: int = 0
    replies: int = 0
    open: list[int] = []


def read_place() -> Place:
    """How far it is done."""
    found = rows("SELECT value FROM store_setting WHERE name = %s", [_PLACE])
    return msgspec.json.decode(found[0]["value"], type=Place) if found else Place()


class Redact(Whole, frozen=True, kw_only=True):
    """Take away what those say that are older than that (milliseconds), a bounded number of them. Answers whether there may be more."""

    older_than: int
    open: bool = False
    """Whether to look at those, too, that were not finished before: once in a round is enough."""

    @property
    def line(self) -> str:
        """Its own."""
        return "redaction"

    def take(self, unit: Unit, lanes: Lanes) -> bool:
        """Messages, then replies."""
        place = read_place()
        before = msgspec.structs.replace(place, open=list(place.open))
        messages = _old(f"{_MESSAGE}> %s ORDER BY seq LIMIT %s", place.messages, self.older_than)
        if len(place.open) >= MOST_OPEN:
            messages = []
        if messages:
            place.messages = messages[-1]["seq"]
        if self.open and place.open:
            messages += rows(f"{_MESSAGE} {AMONG}", [encode(place.open).decode()])
            place.open = []
        unfinished = {one["id"] for one in messages if _state(unit, one) in OPEN}
        place.open += [one["seq"] for one in messages if one["id"] in unfinished]
        redact_messages(unit, [one for one in messages if one["id"] not in unfinished])
        sql = "SELECT seq, event, adaptor, body, at FROM store_reply WHERE seq > %s ORDER BY seq LIMIT %s"
        replies = _old(sql, place.replies, self.older_than)
        if replies:
            place.replies = replies[-1]["seq"]
        redact_replies(unit, replies)
        if place != before:
            _save(place)
        return place.messages > before.messages or place.replies > before.replies


def _old(sql: str, after: int, older_than: int) -> list[Row]:
    return list(takewhile(lambda row: row["at"] < older_than, rows(sql, [after, MOST])))


def _save(place: Place) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_setting (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [_PLACE, msgspec.json.encode(place).decode()],
        )


def _state(unit: Unit, message: Row) -> str:
    """As another job of this transaction left it, if one did."""
    known = unit.messages.get(message["id"])
    return known.state if known else str(message["state"])
