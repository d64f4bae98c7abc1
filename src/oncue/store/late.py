"""Messages whose status is late: those a provider accepted and has said nothing final of since.

Each message is looked at when it is two minutes old, then six, eighteen, and so on, for as long as it is kept: there is no age at which oncue
gives up. Ids begin with their time, so an age is a place in their index, and how far each has come is one id. Nothing is written for a
message that is on time, and the cost of a look does not grow with history.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.core.adaptor import Adaptor, Asked
from oncue.core.message import State

AGES = tuple(2 * clock.MINUTE * 3**step for step in range(11))
"""Milliseconds: from two minutes to 82 days."""

MOST_ROWS = 5_000
"""Messages of one age looked at in one round."""

_ROWS = "SELECT id, adaptor, state, provider_id, carrier_status, created_at FROM store_message WHERE id > %s AND id < %s ORDER BY id LIMIT %s"


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """What one round found. `places` is how far each age has come once these were asked after."""

    asked: tuple[Asked, ...]
    seen: int
    """Messages looked at, on time or late."""
    places: tuple[str, ...]
    behind_for: int
    """Milliseconds by which the looking lags behind, at the age that lags most."""


def find(adaptor: Adaptor, most: int) -> Late:
    """Up to `most` late messages of an adaptor."""
    now = clock.now()
    before = _places(adaptor.name, now)
    asked: dict[str, Asked] = {}
    places: list[str] = []
    behind_for = seen = 0
    for age, place in zip(AGES, before, strict=True):
        until = f"{now - age:012x}"
        rows = _rows(place, until) if len(asked) < most else []
        reached = until if len(asked) < most and len(rows) < MOST_ROWS else place
        for one, name, state, provider_id, status, at in rows:
            if len(asked) >= most:
                reached = place
                break
            place = one
            seen += 1
            if name == adaptor.name and state == State.ACCEPTED and provider_id and status not in adaptor.final:
                asked[provider_id] = Asked(provider_id, at)
        reached = max(reached, place)
        places.append(reached)
        behind_for = max(behind_for, now - age - _time(reached))
    return Late(asked=tuple(asked.values()), seen=seen, places=tuple(places), behind_for=behind_for)


def come_to(adaptor: str, places: Iterable[str]) -> None:
    """Everything before these places was asked after. Inside the writer's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_setting (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [_name(adaptor), msgspec.json.encode(list(places)).decode()],
        )


def _places(adaptor: str, now: int) -> list[str]:
    """Where each age has come to. At the first time each begins where the next ends, so that every message is looked at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM store_setting WHERE name = %s", [_name(adaptor)])
        row = cursor.fetchone()
    known = msgspec.json.decode(row[0], type=list[str]) if row else []
    if len(known) != len(AGES):
        return [f"{now - 3 * age:012x}" for age in AGES]
    # A clock that was fast and was set back has gone ahead of what is made since.
    return [min(place, f"{now - age:012x}") for place, age in zip(known, AGES, strict=True)]


def _rows(after: str, until: str) -> list[tuple[str, str, str, str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [after, until, MOST_ROWS])
        return list(cursor.fetchall())


def _time(place: str) -> int:
    return int(place[:12], 16)


def _name(adaptor: str) -> str:
    return f"asked_{adaptor}"
