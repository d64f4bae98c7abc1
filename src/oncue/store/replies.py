"""Replies: what people wrote back. One is open until a member handled it; `flag` marks what reads like an opt-out but is no keyword."""

from __future__ import annotations

from django.db import connection

from oncue.core import clock
from oncue.store import audit
from oncue.store.paging import Condition, Page, Table, page
from oncue.store.refusal import Refused
from oncue.store.rows import Row, one, rows

REPLIES = Table(
    name="store_reply",
    columns="seq, event, adaptor, user_id, address, sender, body, consent, flag, at, handled_at, handled_by",
    at="at",
)


def replies(*, limit: int = 50, before: int | None = None, show: str = "", address: str = "") -> Page:
    """Replies, newest first. `show` is `open`, `flagged` (those of the open that read like an opt-out), or empty for all.

    `at` is when they were written, as the provider says. The open ones have an index, of which flagged are looked for among the newest.
    """
    indexed = ("address = %s", address) if address else None
    if show in ("open", "flagged") and not address:
        return _open(limit, before, show == "flagged")
    filters: list[Condition] = [("COALESCE(handled_at, 0) = %s", 0)] if show in ("open", "flagged") else []
    if show == "flagged":
        filters.append(("NOT flag = %s", ""))
    return page(REPLIES, limit=limit, before=before, indexed=indexed, filters=filters)


def _open(limit: int, before: int | None, flagged: bool) -> Page:
    # In the words of the partial index. What nobody handled is a list that people keep short.
    where, values = ("WHERE handled_at IS NULL", [])
    if before is not None:
        where, values = f"{where} AND seq < %s", [before]
    sql = f"SELECT {REPLIES.columns} FROM (SELECT * FROM store_reply {where} ORDER BY seq DESC LIMIT %s) AS newest"
    values.append(_MOST_OPEN if flagged else limit + 1)
    if flagged:
        sql, values = f"{sql} WHERE NOT flag = '' ORDER BY seq DESC LIMIT %s", [*values, limit + 1]
    found = rows(sql if flagged else f"{sql} ORDER BY seq DESC", values)
    return Page(rows=found[:limit], next_before=found[limit - 1]["seq"] if len(found) > limit else None)


_MOST_OPEN = 10_000


def reply(seq: int) -> Row | None:
    """The reply of that number."""
    return one(f"SELECT {REPLIES.columns} FROM store_reply WHERE seq = %s", [seq])


def count_open() -> dict[str, int]:
    """How many wait for a member, and how many of those are flagged; both stop counting at 10,000."""
    found = rows(
        "SELECT COUNT(*) AS open, COALESCE(SUM(CASE WHEN flag = '' THEN 0 ELSE 1 END), 0) AS flagged FROM "
        "(SELECT flag FROM store_reply WHERE handled_at IS NULL ORDER BY seq DESC LIMIT %s) AS newest",
        [_MOST_OPEN],
    )
    return found[0]


def mark_handled(seq: int, by: str) -> None:
    """Nobody else needs to look at it. Raises `Refused`."""
    found = _existing(seq)
    if found["handled_at"] is not None:
        return
    with connection.cursor() as cursor:
        sql = "UPDATE store_reply SET handled_at = %s, handled_by = %s WHERE seq = %s"
        cursor.execute(sql, [clock.now(), by[:254], seq])
    audit.record(by, "handled", "reply", found["address"], note=f"reply {seq}")


def reopen(seq: int, by: str) -> None:
    """Somebody should look at it again. Raises `Refused`."""
    found = _existing(seq)
    if found["handled_at"] is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_reply SET handled_at = NULL, handled_by = '' WHERE seq = %s", [seq])
    audit.record(by, "reopened", "reply", found["address"], note=f"reply {seq}")


def _existing(seq: int) -> Row:
    found = reply(seq)
    if found is None:
        raise Refused("There is no such reply.")
    return found
