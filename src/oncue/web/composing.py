"""A message by hand: what is typed into an action's fields, checked before anything is kept; then it goes the way of all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from oncue.core import ids
from oncue.core.adaptor import Action, Prepared
from oncue.core.fields import Fault, read
from oncue.store.adaptors import Stored
from oncue.store.by_hand import Compose
from oncue.web.backstage import behind


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """A message that can be sent: the values of its fields, and what would be sent."""

    fields: dict[str, Any]
    prepared: Prepared


def composed(action: Action, stored: Stored, given: Mapping[str, Any]) -> Composed | list[Fault]:
    """The message, or what is wrong with it."""
    values, faults = read(action.fields, given)
    if not faults and action.check:
        faults = action.check(stored.values, values)
    if faults:
        return faults
    prepared = action.prepare(stored.values, values, {})
    if not isinstance(prepared, Prepared):
        return [Fault(prepared.field, prepared.sentence)]
    return Composed(fields=values, prepared=prepared)


def send(name: str, message: Composed, form: str, by: str) -> str:
    """Have it made by the action of that full name; its id. The same `form` twice makes one message; one that is no id is a new one."""
    form = form if ids.is_id(form) else ids.new()
    job = Compose(form=form, by=by, action=name, fields=message.fields, address=message.prepared.recipient)
    return str(behind().do(job))
