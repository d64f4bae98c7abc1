"""Applying a document: the configuration becomes what the file says, all or nothing, and the same file twice changes nothing.

Rules that a file made and no longer names are archived; rules that a member made are left alone; nothing is erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import connection, transaction

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.core.reasons import STOPPED, Reason
from oncue.rules.document import Document
from oncue.rules.spec import RuleSpec, RuleState
from oncue.store import adaptors, audit, keys, policy
from oncue.store.config import raise_version
from oncue.store.secrets import Vault


class Change(msgspec.Struct, frozen=True):
    """One thing that differs: `verb` is created, changed, archived, restored, activated or deactivated."""

    verb: str
    kind: str
    name: str
    note: str = ""


def apply(
    document: Document,
    catalogue: Mapping[str, Adaptor],
    vault: Vault,
    *,
    by: str,
    found: Mapping[str, dict[str, Any]],
    dry: bool = False,
) -> list[Change]:
    """Make the configuration what the document says; `found` is what checking each adaptor learned. `dry` only says what would change."""
    with transaction.atomic():
        changes = [
            *_apply_keys(document),
            *_apply_adaptors(document, catalogue, vault, found, by),
            *_apply_policy(document, by),
            *_apply_rules(document, by),
        ]
        if dry:
            transaction.set_rollback(True)
    return changes


_BY_FILE = "by a file"


def _apply_keys(document: Document) -> list[Change]:
    known = set(keys.names())
    changes = []
    for key in document.api_keys:
        if keys.fix(key.name, key.key, key.per_second):
            changes.append(Change("changed" if key.name in known else "created", "api key", key.name))
    return changes


def _apply_adaptors(
    document: Document,
    catalogue: Mapping[str, Adaptor],
    vault: Vault,
    found: Mapping[str, dict[str, Any]],
    by: str,
) -> list[Change]:
    changes = []
    for name, given in document.adaptors.items():
        before = adaptors.stored(name, vault)
        state = given.state
        if not adaptors.save(catalogue[name], vault, given.values, state, found.get(name)):
            continue
        verb = "created" if before is None else "changed"
        if before and before.state != state:
            verb = "activated" if state == adaptors.ACTIVE else "deactivated"
        changes.append(Change(verb, "adaptor", name, _held(name, state)))
        audit.record(by, verb, "adaptor", name, note=_BY_FILE)
    return changes


def _held(name: str, state: str) -> str:
    waiting = adaptors.held(name)
    if not waiting:
        return ""
    one = waiting == 1
    what = f"{waiting} message{'' if one else 's'}"
    if state == adaptors.ACTIVE:
        return f"{what} that waited {'is' if one else 'are'} sent now, if still in time"
    return f"{what} wait{'s' if one else ''}, held until {'its' if one else 'their'} send-by time"


def _apply_policy(document: Document, by: str) -> list[Change]:
    if document.policy is None:
        return []
    fields = policy.differing(policy.read_policy(), document.policy)
    return [Change("changed", "policy", ", ".join(fields))] if policy.save_policy(document.policy, by) else []


def _apply_rules(document: Document, by: str) -> list[Change]:
    if document.rules is None:
        return []
    stored = _stored()
    changes = []
    for spec in document.rules:
        before = stored.get(spec.key)
        if before is None:
            _write(spec, 1, by)
            changes.append(Change("created", "rule", spec.key, f"state {spec.state}"))
            audit.record(by, "created", "rule", spec.key, None, msgspec.to_builtins(spec), _BY_FILE)
        elif before.archived or before.spec != spec:
            _write(spec, before.revision + 1, by)
            note = f"state {spec.state}" + (_cancel(spec.key) if spec.state is RuleState.OFF else "")
            changes.append(Change("restored" if before.archived else "changed", "rule", spec.key, note))
            specs = msgspec.to_builtins(before.spec), msgspec.to_builtins(spec)
            audit.record(by, changes[-1].verb, "rule", spec.key, *specs, _BY_FILE)
    named = {spec.key for spec in document.rules}
    for key, before in stored.items():
        if key not in named and before.origin == "file" and not before.archived:
            _archive(key)
            changes.append(Change("archived", "rule", key, "no longer in the file" + _cancel(key)))
            audit.record(by, "archived", "rule", key, note=_BY_FILE)
    return changes


def _cancel(rule: str) -> str:
    """What still waits of a rule that was turned off is not sent, not even when it is turned on again. Says how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_message SET state = 'canceled', reason = %s, updated_at = %s WHERE state = 'waiting' AND rule = %s",
            [f"{Reason.RULE_OFF}: {STOPPED}", clock.now(), rule],
        )
        canceled = cursor.rowcount
    return f"; {canceled} that waited will not be sent" if canceled else ""


class _Stored(msgspec.Struct, frozen=True):
    spec: RuleSpec
    origin: str
    revision: int
    archived: bool


def _stored() -> dict[str, _Stored]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, spec, origin, revision, archived_at FROM store_rule ORDER BY key")
        return {
            key: _Stored(msgspec.json.decode(spec, type=RuleSpec), origin, revision, archived_at is not None)
            for key, spec, origin, revision, archived_at in cursor.fetchall()
        }


def _write(spec: RuleSpec, revision: int, by: str) -> None:
    text, now = msgspec.json.encode(spec).decode(), clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_rule (key, spec, origin, revision, archived_at, updated_at) VALUES (%s, %s, 'file', %s, NULL, %s) "
            "ON CONFLICT (key) DO UPDATE SET spec = excluded.spec, revision = excluded.revision, archived_at = NULL, "
            "updated_at = excluded.updated_at",
            [spec.key, text, revision, now],
        )
        sql = "INSERT INTO store_rulerevision (key, revision, spec, by, at) VALUES (%s, %s, %s, %s, %s)"
        cursor.execute(sql, [spec.key, revision, text, by, now])
    raise_version()


def _archive(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_rule SET archived_at = %s, updated_at = %s WHERE key = %s", [clock.now(), clock.now(), key]
        )
    raise_version()


def rules() -> list[RuleSpec]:
    """Every rule that is not archived, by key."""
    return [one.spec for one in _stored().values() if not one.archived]


def event_names() -> set[str]:
    """Every event name ever seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM store_eventname WHERE name <> '$user'")
        return {name for (name,) in cursor.fetchall()}
