"""Applying a document: the configuration becomes what the file says, all or nothing, and the same file twice changes nothing.

Rules that a file made and no longer names are archived; rules that a member made are left alone; nothing is erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import connection, transaction

from oncue.core.adaptor import Adaptor
from oncue.rules.document import Document
from oncue.rules.spec import RuleSpec, RuleState
from oncue.store import adaptors, audit, keys, policy, rulebook
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
            *_apply_keys(document, vault),
            *_apply_adaptors(document, catalogue, vault, found, by),
            *_apply_policy(document, by),
            *_apply_rules(document, by),
        ]
        if dry:
            transaction.set_rollback(True)
    return changes


_FILE, _BY_FILE = "file", "by a file"


def _apply_keys(document: Document, vault: Vault) -> list[Change]:
    known = set(keys.names())
    changes = []
    for key in document.api_keys:
        if keys.fix(key.name, key.key, key.per_second, sdk=keys.Sdk(key.source, key.app, vault)):
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
    stored = rulebook.everything()
    changes = []
    for spec in document.rules:
        before = stored.get(spec.key)
        if before and before.archived_at is None and before.spec == spec:
            continue
        rulebook.write(spec, by=by, origin=_FILE)
        verb = rulebook.record(spec, before, by=by, note=_BY_FILE)
        canceled = rulebook.cancel(spec.key) if before and spec.state is RuleState.OFF else ""
        changes.append(Change(verb, "rule", spec.key, _joined(f"state {spec.state}", canceled)))
    named = {spec.key for spec in document.rules}
    for key, before in stored.items():
        if key not in named and before.origin == _FILE and rulebook.shelve(key):
            changes.append(Change("archived", "rule", key, _joined("no longer in the file", rulebook.cancel(key))))
            audit.record(by, "archived", "rule", key, note=_BY_FILE)
    return changes


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def rules() -> list[RuleSpec]:
    """Every rule that is not archived, by key."""
    return [one.spec for one in rulebook.everything().values() if one.archived_at is None]


def event_names() -> set[str]:
    """Every event name ever seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM store_eventname WHERE name <> '$user'")
        return {name for (name,) in cursor.fetchall()}
