"""Built-in actions: `user.update` sets a user's properties, `event.emit` lets one rule trigger another. The intake carries them out itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncue.core.adaptor import Action, Adaptor, Config, EventKind, Impossible, Lane, Prepared
from oncue.core.fields import Fault, Field, Kind

_SAYS = "Properties must be a map of names to values."


def _prepare(config: Config, fields: dict[str, Any], user: Mapping[str, Any]) -> Prepared | Impossible:
    if not isinstance(fields.get("properties") or {}, dict):
        return Impossible("properties", _SAYS)
    return Prepared(fields=fields, recipient="", lane=Lane("builtin"))


def _check(config: Config, fields: Mapping[str, Any]) -> list[Fault]:
    """Properties written out must be a map; of a template only the rendering can tell."""
    given = fields.get("properties") or {}
    is_template = isinstance(given, str) and ("{{" in given or "{%" in given)
    return [] if isinstance(given, dict) or is_template else [Fault("properties", _SAYS)]


user = Adaptor(
    name="user",
    label="User",
    help="Changes what is known of the user.",
    config=(),
    actions=(
        Action(
            name="update",
            label="Update user",
            help="Sets properties of the user.",
            fields=(
                Field(
                    name="properties",
                    label="Properties",
                    help="Names and values. A value that is null removes the property.",
                    kind=Kind.JSON,
                    required=True,
                    example='{"plan": "gold"}',
                ),
            ),
            prepare=_prepare,
            send=None,
            check=_check,
            is_message=False,
        ),
    ),
    builtin=True,
)

event = Adaptor(
    name="event",
    label="Event",
    help="Raises an event, which other rules may be triggered by.",
    config=(),
    actions=(
        Action(
            name="emit",
            label="Emit event",
            help="Raises an event for the same user.",
            fields=(
                Field(
                    name="name",
                    label="Name",
                    help="The event's name.",
                    required=True,
                    max_length=200,
                    pattern=r"(?!(oncue|message|rule)\.)[^\x00-\x1f]+",
                    pattern_says="An event's name is one line, and does not begin with oncue., message. or rule., which oncue raises itself.",
                    example="loyalty_reached",
                ),
                Field(name="properties", label="Properties", help="What the event carries.", kind=Kind.JSON),
            ),
            prepare=_prepare,
            send=None,
            check=_check,
            is_message=False,
        ),
    ),
    builtin=True,
)

adaptors = (user, event)

OWN_EVENTS = (
    EventKind(
        "message.suppressed",
        "Message suppressed",
        "oncue did not send: an opt-out, no consent, quiet hours, the cap, or a missing value.",
    ),
    EventKind("message.expired", "Message expired", "A message was still waiting when its send-by time passed."),
    EventKind("rule.chain_cut", "Chain cut", "Rules triggered one another too often, and the chain was cut."),
    EventKind("oncue.opted_in", "Opted in", "A user opted in to a category of messages."),
    EventKind("oncue.opted_out", "Opted out", "A user opted out of a category of messages."),
)
"""Events that oncue raises itself, by full name."""
