"""The event and the user that a rule is tried on: the newest event of a trigger, a user by id or number, or made-up ones, and says which."""

from __future__ import annotations

from typing import Any

import msgspec

from oncue.core import clock, ids
from oncue.core.event import Event, User
from oncue.store import examples, reading
from oncue.web.rule_form import Posted

NOBODY = {"first_name": "Ann", "last_name": "Example", "phone_number": "+16175551212", "email": "ann@example.com"}
"""A person to try on before there is any."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """An event to try the rule on. `is_real` if one of that name was seen; `at` is when."""

    name: str = ""
    properties: str = "{}"
    is_real: bool = False
    at: int = 0
    user: str = ""
    """Whom the newest such event was about."""
    choices: tuple[str, ...] = ()


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a rule is tried on. `note` says who that is, `fault` if nobody is of that id or number."""

    user: User
    note: str = ""
    fault: str = ""


def example(triggers: tuple[str, ...], posted: Posted) -> Example:
    """The event named by `p-event`, or the first trigger; its properties as typed, or those of the newest of that name."""
    wanted = posted.get("p-event", "")
    name = wanted if wanted in triggers else triggers[0] if triggers else ""
    typed = posted.get("p-properties", "").strip()
    newest = examples.newest_event(name) if name else None
    properties = (newest or {}).get("properties") or _from_seen(name)
    is_typed = bool(typed) and posted.get("p-shown", "") == name
    text = typed if is_typed else msgspec.json.format(msgspec.json.encode(properties), indent=2).decode()
    found = Example(name=name, properties=text, choices=triggers)
    if newest is None:
        return found
    return msgspec.structs.replace(found, is_real=True, at=newest["timestamp"], user=newest["user_id"])


def event_of(example: Example, user: str) -> Event | str:
    """The event to try on, or what is wrong with its properties."""
    try:
        properties = msgspec.json.decode(example.properties.encode(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        return f"The example’s properties must be a JSON map: {error}."
    one = ids.new()
    return Event(
        id=one, user=user, name=example.name or "example", properties=properties, timestamp=clock.now(), root=one
    )


def chosen(wanted: str, example: Example) -> Chosen:
    """The user of that id or number; else whoever the newest such event was about; else the newest user; else an invented person."""
    wanted = wanted.strip()
    if wanted:
        row = reading.user(wanted) or next(iter(examples.people(wanted, 1)), None)
        if row is None:
            return Chosen(user=User(id=wanted, properties={}), fault=f"There is no user {wanted}.")
        return Chosen(user=_user(row))
    if example.user:
        return Chosen(user=_user(reading.user(example.user) or {"id": example.user}), note="of the newest such event")
    rows = examples.people("", 1)
    if rows:
        return Chosen(user=_user(rows[0]), note="the newest user")
    return Chosen(user=User(id="ann", properties=dict(NOBODY)), note="invented, since no user is known yet")


def _from_seen(name: str) -> dict[str, Any]:
    found = examples.event_properties([name]) if name else {}
    return {
        step.removeprefix("."): value for step, value in found.items() if step.startswith(".") and "." not in step[1:]
    }


def _user(row: dict[str, Any]) -> User:
    return User(id=row["id"], properties=dict(row.get("properties") or {}))
