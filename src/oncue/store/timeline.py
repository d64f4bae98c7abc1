"""What went to and fro: one user's events and messages as one list, and the texts exchanged with one address."""

from __future__ import annotations

import msgspec

from oncue.store.reading import EVENTS, MESSAGES
from oncue.store.replies import REPLIES
from oncue.store.rows import Row, rows

_KNOWN = 10
"""People behind one address, at most: more is no conversation."""

_LOOKED_AT = 1_000
"""Messages of each of them, the newest."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing: `kind` is `event`, `message` or `reply`; `row` as its listing shows it; `at` in milliseconds."""

    kind: str
    at: int
    row: Row


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first; `next_before` (opaque) asks for the page that follows, None if there is none."""

    moments: list[Moment]
    next_before: str | None = None


def timeline(user: str, *, limit: int = 50, before: str | None = None) -> Timeline:
    """A user's events and messages, newest first. Raises ValueError for a `before` that is none."""
    events_before, messages_before = _read(before)
    moments = [
        *_moments("event", EVENTS.name, EVENTS.columns, EVENTS.at, user, events_before, limit + 1),
        *_moments("message", MESSAGES.name, MESSAGES.columns, MESSAGES.at, user, messages_before, limit + 1),
    ]
    # A message comes after the event that brought it about, in the same transaction.
    moments.sort(key=lambda one: (one.at, one.kind, one.row["seq"]), reverse=True)
    shown = moments[:limit]
    if len(moments) <= limit:
        return Timeline(moments=shown)
    last = {one.kind: one.row["seq"] for one in shown}
    return Timeline(
        moments=shown, next_before=f"{last.get('event', events_before)}.{last.get('message', messages_before)}"
    )


_NEWEST = 1 << 62


def _read(before: str | None) -> tuple[int, int]:
    if before is None:
        return _NEWEST, _NEWEST
    events, _, messages = before.partition(".")
    found = int(events), int(messages)
    if not all(0 <= one <= _NEWEST for one in found):
        raise ValueError(before)
    return found


def _moments(kind: str, table: str, columns: str, at: str, user: str, before: int, limit: int) -> list[Moment]:
    sql = f"SELECT {columns} FROM {table} WHERE user_id = %s AND seq < %s ORDER BY seq DESC LIMIT %s"
    return [Moment(kind=kind, at=row[at], row=row) for row in rows(sql, [user, before, limit])]


def conversation(address: str, *, limit: int = 50) -> list[Moment]:
    """The newest texts to an address and replies from it, oldest first. `kind` is `message` or `reply`."""
    sql = f"SELECT {REPLIES.columns} FROM store_reply WHERE address = %s ORDER BY seq DESC LIMIT %s"
    moments = [Moment(kind="reply", at=row["at"], row=row) for row in rows(sql, [address, limit])]
    people = _people(address)
    if people:
        # No index leads from an address to its messages; but it is known whose it is, and they have one.
        part = f"SELECT * FROM (SELECT {MESSAGES.columns} FROM store_message WHERE user_id = %s ORDER BY seq DESC LIMIT %s) AS newest"
        sql = f"SELECT * FROM ({' UNION ALL '.join([part] * len(people))}) AS known WHERE recipient = %s ORDER BY seq DESC LIMIT %s"
        values = [value for one in people for value in (one, _LOOKED_AT)]
        texts = rows(sql, [*values, address, limit])
        moments += [Moment(kind="message", at=row["created_at"], row=row) for row in texts]
    moments.sort(key=lambda one: (one.at, one.kind, one.row["seq"]))
    return moments[-limit:]


def _people(address: str) -> list[str]:
    """Whose address this is, or was when they were texted or wrote."""
    sql = (
        "SELECT DISTINCT user_id FROM ("
        "SELECT * FROM (SELECT id AS user_id FROM store_user WHERE NOT phone = '' AND phone = %s ORDER BY seq LIMIT %s) AS owners UNION ALL "
        "SELECT * FROM (SELECT user_id FROM store_conversation WHERE address = %s LIMIT %s) AS texted UNION ALL "
        "SELECT * FROM (SELECT user_id FROM store_reply WHERE address = %s ORDER BY seq DESC LIMIT %s) AS wrote) AS known WHERE NOT user_id = '' LIMIT %s"
    )
    found = rows(sql, [address, _KNOWN, address, _KNOWN, address, _KNOWN, _KNOWN])
    return [row["user_id"] for row in found]
