"""Members configure adaptors: what they save, switch on and off, with a line in the audit trail. Each runs inside a transaction.

A secret is never in the trail, only that it changed.
"""

from __future__ import annotations

from typing import Any

from oncue.core.adaptor import Adaptor
from oncue.store import adaptors, audit
from oncue.store.adaptors import ACTIVE, Stored, stored
from oncue.store.secrets import Vault


def configure(
    adaptor: Adaptor, vault: Vault, values: dict[str, Any], state: str, *, by: str, found: dict[str, Any]
) -> None:
    """Save what was given; its pauses are lifted, since whoever saves it has mended it. `found` is what checking it learned."""
    before = stored(adaptor.name, vault)
    if not adaptors.save(adaptor, vault, values, state, found):
        return
    shown = _shown(adaptor, before.values, before.state) if before else None
    audit.record(
        by,
        _verb(before, values, state),
        "adaptor",
        adaptor.name,
        shown,
        _shown(adaptor, values, state),
        _secrets(adaptor, before, values),
    )


def set_state(adaptor: Adaptor, vault: Vault, state: str, *, by: str, found: dict[str, Any] | None = None) -> None:
    """Switch it over, if it is configured."""
    before = stored(adaptor.name, vault)
    if before is not None:
        configure(adaptor, vault, before.values, state, by=by, found=before.found if found is None else found)


def learn(adaptor: Adaptor, found: dict[str, Any], *, by: str, note: str) -> None:
    """Keep what was learned of the account when something was changed there, and what."""
    adaptors.learn(adaptor.name, found)
    audit.record(by, "changed", "adaptor", adaptor.name, note=note)


def _verb(before: Stored | None, values: dict[str, Any], state: str) -> str:
    if before is None:
        return "created"
    if before.state != state and before.values == values:
        return "activated" if state == ACTIVE else "deactivated"
    return "changed"


def _shown(adaptor: Adaptor, values: dict[str, Any], state: str) -> dict[str, Any]:
    secret = {field.name for field in adaptor.config if field.is_secret}
    return {"state": state, **{name: value for name, value in values.items() if name not in secret}}


def _secrets(adaptor: Adaptor, before: Stored | None, values: dict[str, Any]) -> str:
    """Which secrets changed, by their labels."""
    earlier = before.values if before else {}
    labels = [
        field.label
        for field in adaptor.config
        if field.is_secret and before and earlier.get(field.name) != values.get(field.name)
    ]
    return f"{' and '.join(labels)} changed." if labels else ""
