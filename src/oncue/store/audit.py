"""The audit trail: who changed what, before and after. Append-only; secrets never come here, only their names."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.store.rows import Row, rows

COMMAND_LINE = "command line"
"""Who did it, if somebody on the server did."""


def record(by: str, verb: str, kind: str, name: str, before: Any = None, after: Any = None, note: str = "") -> None:
    """Say in the change's own transaction who made it. `before` and `after` are plain values (JSON), without secrets.

    `by` is a member's e-mail address, `key <name>` or `COMMAND_LINE`; `kind` what was changed (member, session, invitation, key, adaptor,
    rule, opt-out, message, reply, setting), `name` which one, `verb` how (created, changed, …).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_audit (at, by, verb, kind, name, before, after, note) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [clock.now(), by[:254], verb, kind, name[:254], _json(before), _json(after), note],
        )


def page(*, limit: int = 50, before: int | None = None, kind: str = "", name: str = "") -> list[Row]:
    """Entries, newest first; of one thing, with its kind and name. `before` is the `seq` of the last one on the page before."""
    # By seq or by (kind, name, seq), each with an index: a kind alone would have to be looked for.
    where, values = ("kind = %s AND name = %s AND ", [kind, name]) if kind and name else ("", [])
    if before is not None:
        where, values = f"{where}seq < %s AND ", [*values, str(before)]
    sql = f"SELECT seq, at, by, verb, kind, name, before, after, note FROM store_audit WHERE {where}seq > 0 ORDER BY seq DESC LIMIT %s"
    return rows(sql, [*values, limit])


def _json(value: Any) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
