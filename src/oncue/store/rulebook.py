"""Rules as members keep them: found, listed, saved as a new revision, archived and brought back. Nothing is erased.

What changes something runs inside a transaction (the one writer's), and stands in the audit trail.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.core.reasons import STOPPED, Reason
from oncue.rules.spec import RuleSpec, RuleState
from oncue.store import audit
from oncue.store.config import raise_version
from oncue.store.rows import Row, rows

log = logging.getLogger("oncue.store")


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is saved."""

    key: str
    spec: RuleSpec
    revision: int
    origin: str
    archived_at: int | None
    updated_at: int

    @property
    def name(self) -> str:
        """What people call it."""
        return self.spec.name

    @property
    def state(self) -> str:
        """Off, test or on; of one that is archived, what it was."""
        return self.spec.state.value


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One version that a rule had: who made it, and when."""

    revision: int
    spec: RuleSpec
    by: str
    at: int


_COLUMNS = "key, spec, revision, origin, archived_at, updated_at"


def find(key: str) -> Stored | None:
    """The rule with that key, archived or not."""
    found = rows(f"SELECT {_COLUMNS} FROM store_rule WHERE key = %s", [key])
    return _stored(found[0]) if found else None


def listing(*, archived: bool = False, after: str = "", limit: int = 100) -> list[Stored]:
    """Rules by key, a page at a time: those after the key `after`."""
    where = "archived_at IS NOT NULL" if archived else "archived_at IS NULL"
    found = rows(f"SELECT {_COLUMNS} FROM store_rule WHERE {where} AND key > %s ORDER BY key LIMIT %s", [after, limit])
    return [one for row in found if (one := _stored(row))]


def everything() -> dict[str, Stored]:
    """Every rule by its key, archived ones too."""
    found = rows(f"SELECT {_COLUMNS} FROM store_rule ORDER BY key", [])
    return {one.key: one for row in found if (one := _stored(row))}


def taken() -> set[str]:
    """Every key that is taken, archived rules' too."""
    return {row["key"] for row in rows("SELECT key FROM store_rule", [])}


def archived_count() -> int:
    """How many are archived."""
    return int(rows("SELECT COUNT(*) AS count FROM store_rule WHERE archived_at IS NOT NULL", [])[0]["count"])


class Moved(Exception):
    """Somebody else saved the rule in between."""


def save(spec: RuleSpec, *, by: str, over: int | None = None) -> int | None:
    """Make it a new revision, and tell every process; the revision, or None if nothing differs. What waits of a rule that is off is not sent.

    `over` is the revision that it takes the place of (0 for a new rule). Raises `Moved` if that is no longer the newest.
    """
    before = find(spec.key)
    if over is not None and over != (before.revision if before else 0):
        raise Moved
    if before and before.spec == spec and before.archived_at is None:
        return None
    revision = write(spec, by=by, origin="ui")
    note = cancel(spec.key) if spec.state is RuleState.OFF else ""
    record(spec, before, by=by, note=note)
    return revision


def write(spec: RuleSpec, *, by: str, origin: str) -> int:
    """Keep it as the next revision, which tells every process; the revision. `origin`, `ui` or `file`, is that of a new rule."""
    text, now = msgspec.json.encode(spec).decode(), clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(revision), 0) + 1 FROM store_rulerevision WHERE key = %s", [spec.key])
        revision = int(cursor.fetchone()[0])
        cursor.execute(
            "INSERT INTO store_rule (key, spec, origin, revision, archived_at, updated_at) VALUES (%s, %s, %s, %s, NULL, %s) "
            "ON CONFLICT (key) DO UPDATE SET spec = excluded.spec, revision = excluded.revision, archived_at = NULL, "
            "updated_at = excluded.updated_at",
            [spec.key, text, origin, revision, now],
        )
        sql = "INSERT INTO store_rulerevision (key, revision, spec, by, at) VALUES (%s, %s, %s, %s, %s)"
        cursor.execute(sql, [spec.key, revision, text, by, now])
    raise_version()
    return revision


def record(spec: RuleSpec, before: Stored | None, *, by: str, note: str) -> str:
    """A line in the trail: that it was created, changed or restored, which is returned."""
    verb = "created" if before is None else "restored" if before.archived_at else "changed"
    audit.record(by, verb, "rule", spec.key, _plain(before.spec) if before else None, _plain(spec), note)
    return verb


def archive(key: str, *, by: str) -> None:
    """It acts no more, and what waits of it is not sent."""
    if shelve(key):
        audit.record(by, "archived", "rule", key, note=cancel(key))


def shelve(key: str) -> bool:
    """Keep it as archived, which tells every process; whether it was not."""
    with connection.cursor() as cursor:
        sql = "UPDATE store_rule SET archived_at = %s, updated_at = %s WHERE key = %s AND archived_at IS NULL"
        cursor.execute(sql, [clock.now(), clock.now(), key])
        if not cursor.rowcount:
            return False
    raise_version()
    return True


def cancel(key: str) -> str:
    """Cancel what waits of the rule; a sentence if anything did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_message SET state = 'canceled', reason = %s, updated_at = %s WHERE state = 'waiting' AND rule = %s",
            [f"{Reason.RULE_OFF}: {STOPPED}", clock.now(), key],
        )
        return f"{cursor.rowcount} that waited will not be sent" if cursor.rowcount else ""


def revisions(key: str, limit: int = 200) -> list[Revision]:
    """The rule's revisions, the newest first."""
    sql = "SELECT revision, spec, by, at FROM store_rulerevision WHERE key = %s ORDER BY revision DESC LIMIT %s"
    return [
        Revision(revision=row["revision"], spec=_spec(row["spec"]), by=row["by"], at=row["at"])
        for row in rows(sql, [key, limit])
    ]


def _stored(row: Row) -> Stored | None:
    """None of one that cannot be read, which is logged: it holds up no other."""
    try:
        return Stored(**{**row, "spec": _spec(row["spec"])})
    except msgspec.DecodeError as error:
        log.error("rule %s cannot be read: %s", row["key"], error)
        return None


def _spec(text: str) -> RuleSpec:
    return msgspec.json.decode(text, type=RuleSpec)


def _plain(spec: RuleSpec) -> Any:
    return msgspec.to_builtins(spec)
