"""Messages written by hand, by way of the API: checked before anything is kept, then they go the way of all others."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from oncue.core.adaptor import Action
from oncue.store import adaptors
from oncue.web import composing
from oncue.web.api.auth import who
from oncue.web.api.problems import Refused, faulty, wrong
from oncue.web.backstage import behind
from oncue.web.composing import Composed


def find_action(name: str) -> Action:
    """The action of that full name that sends something. Raises `Refused`."""
    adaptor_name, _, action_name = name.partition(".")
    adaptor = behind().catalogue.get(adaptor_name)
    action = adaptor.action(action_name) if adaptor and not adaptor.builtin else None
    if action is None:
        there = [
            f"{one.name}.{act.name}" for one in behind().catalogue.values() if not one.builtin for act in one.actions
        ]
        raise wrong(
            [("action", f"There is no action {name[:100]!r} that sends a message; there is: {', '.join(there)}.")]
        )
    return action


def prepare(name: str, given: dict[str, Any]) -> Composed:
    """The message, ready to be sent. Raises `Refused`."""
    action = find_action(name)
    stored = adaptors.stored(name.partition(".")[0], behind().vault)
    if stored is None:
        raise Refused(409, f"The adaptor {name.partition('.')[0]} is not configured.")
    found = composing.composed(action, stored, given)
    if isinstance(found, list):
        raise faulty(found, "fields.")
    return found


def compose(request: HttpRequest, name: str, given: dict[str, Any], form: str = "") -> str:
    """Have the message made; its id. The same `form` twice makes one message. Raises `Refused`."""
    return composing.send(name, prepare(name, given), form, who(request))
