"""Conversations: replies by person. Of each address the newest reply stands for all it wrote, so that a list of them is a list of people."""

from __future__ import annotations

from typing import Any

from django.db import connection

from oncue.core import clock
from oncue.store import audit
from oncue.store.paging import Page, page
from oncue.store.reading import MESSAGES
from oncue.store.replies import REPLIES
from oncue.store.rows import Row, one, rows

_LOOKED_AT = 1_000
_MOST_OPEN = 10_000

_NO_NEWER = "NOT EXISTS (SELECT 1 FROM store_reply AS newer WHERE newer.address = store_reply.address AND newer.seq > store_reply.seq{and_it})"


def people(*, limit: int = 50, before: int | None = None, show: str = "") -> Page:
    """The newest reply of each address, newest first. `show` is `open` or `flagged` (the newest of those that nobody handled), or empty.

    Whoever wrote again in between is on the page of their newest reply only.
    """
    if show not in ("open", "flagged"):
        return page(REPLIES, limit=limit, before=before, filters=[(_NO_NEWER.format(and_it=" AND newer.seq > %s"), 0)])
    flagged = show == "flagged"
    no_newer = _NO_NEWER.format(
        and_it=" AND newer.handled_at IS NULL" + (" AND NOT newer.flag = ''" if flagged else "")
    )
    where, values = "handled_at IS NULL", list[Any]()
    if before is not None:
        where, values = f"{where} AND seq < %s", [before]
    # In the words of the partial index.
    newest = f"SELECT * FROM store_reply WHERE {where} ORDER BY seq DESC LIMIT %s"
    sql = f"SELECT {REPLIES.columns} FROM ({newest}) AS store_reply WHERE {no_newer}{' AND NOT flag = %s' if flagged else ''} ORDER BY seq DESC LIMIT %s"
    found = rows(sql, [*values, _MOST_OPEN, *([""] if flagged else []), limit + 1])
    return Page(rows=found[:limit], next_before=found[limit - 1]["seq"] if len(found) > limit else None)


def unhandled(address: str) -> list[Row]:
    """What this address wrote that nobody handled, newest first."""
    sql = f"SELECT {REPLIES.columns} FROM store_reply WHERE address = %s AND COALESCE(handled_at, 0) = 0 ORDER BY seq DESC LIMIT %s"
    return rows(sql, [address, _LOOKED_AT])


def texts_to_stranger(address: str, limit: int) -> list[Row]:
    """Messages by hand to an address that no user had, looked for among the newest of those to nobody we know."""
    newest = f"SELECT {MESSAGES.columns} FROM store_message WHERE user_id = '' ORDER BY seq DESC LIMIT %s"
    return rows(f"SELECT * FROM ({newest}) AS newest WHERE recipient = %s ORDER BY seq DESC LIMIT %s", [_LOOKED_AT, address, limit])  # fmt: skip


def unmatched(event: str) -> str:
    """Why a reply is nobody's, as it was found when it came: `no user has this number`."""
    found = one("SELECT properties FROM store_event WHERE id = %s", [event])
    return str((found["properties"] or {}).get("unmatched") or "") if found else ""


def handle(address: str, by: str) -> int:
    """Nobody else needs to look at what this address wrote so far. Inside a transaction. Returns how many replies that was."""
    with connection.cursor() as cursor:
        sql = "UPDATE store_reply SET handled_at = %s, handled_by = %s WHERE address = %s AND handled_at IS NULL"
        cursor.execute(sql, [clock.now(), by[:254], address])
        count = int(cursor.rowcount)
    if count:
        audit.record(by, "handled", "reply", address, note=f"{count} repl{'y' if count == 1 else 'ies'}")
    return count
