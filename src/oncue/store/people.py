"""People: a user's properties, and what some of them say beside."""

from __future__ import annotations

from typing import Any

from oncue.core.event import Event, User
from oncue.store import consent
from oncue.store.unit import Unit


def change_properties(
    unit: Unit,
    user: User,
    given: dict[str, Any],
    at: int,
    source: str,
    parent: str = "",
    cause: Event | None = None,
) -> None:
    """Merge properties into a user's; None removes one. Properties that speak of consent are recorded as such.

    `cause` is the event whose rule changes them.
    """
    for name, value in given.items():
        if value is None:
            user.properties.pop(name, None)
        else:
            user.properties[name] = value
        category = consent.PROPERTIES.get(name)
        if category and isinstance(value, bool) and user.id:  # a stranger's reply belongs to no user
            unit.load_consents([user.id])
            state = consent.OPTED_IN if value else consent.OPTED_OUT
            consent.record(unit, user.id, category, state, f"property {name} ({source})", at, parent, cause)
    if user.id:
        unit.change_user(user)
