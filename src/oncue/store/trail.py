"""The audit trail as members read it: filtered by what was changed and by whom, newest first."""

from __future__ import annotations

from oncue.store.paging import Condition, Page, Table, page

KINDS = (
    "adaptor",
    "alert",
    "invitation",
    "key",
    "member",
    "message",
    "opt-out",
    "reply",
    "rule",
    "session",
    "setting",
    "user",
)
"""What is changed, as `audit.record` calls it."""

_ENTRIES = Table(name="store_audit", columns="seq, at, by, verb, kind, name, before, after, note", at="at")


def entries(*, limit: int = 50, before: int | None = None, kind: str = "", by: str = "", name: str = "") -> Page:
    """Entries, newest first. No index serves these filters: they are looked for among a bounded number of the newest."""
    given = {"kind": kind, "by": by, "name": name}
    filters: list[Condition] = [(f"{column} = %s", value) for column, value in given.items() if value]
    return page(_ENTRIES, limit=limit, before=before, filters=filters)
