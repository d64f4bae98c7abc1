"""Providers' copies: messages whose content a provider is still to forget, by its own id of them and nothing else.

A row is written in the transaction that takes the content away here, and stays until the provider says that it is done: a crash in between
costs a call that is made again, which changes nothing. What fails is put off, so that others have their turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.store.facts import AMONG, encode
from oncue.store.jobs import Whole
from oncue.store.lanes import Lanes
from oncue.store.statements import insert, update, write
from oncue.store.unit import Unit

MOST_TRIES = 40
"""About a month: a minute, two, four, then once a day."""

LONGEST_AFTER = clock.DAY

MOST_COUNTED = 10_000

_INSERT = insert("store_copy", "adaptor, provider_id, due_at", "ON CONFLICT (adaptor, provider_id) DO NOTHING")
_UPDATE = update("store_copy", "id", ("tries", "due_at"))


class Copy(msgspec.Struct, frozen=True):
    """One that is to be forgotten; `tries` is how often that failed because of it."""

    id: int
    provider_id: str
    tries: int

    @property
    def is_last_try(self) -> bool:
        """Whether it is given up if it fails again."""
        return self.tries + 1 >= MOST_TRIES

    @property
    def after(self) -> int:
        """Milliseconds until it is tried again if it fails now."""
        return min(LONGEST_AFTER, clock.MINUTE << min(self.tries, 20))


def ask(adaptor: str, provider_ids: Iterable[str], now: int) -> None:
    """Have these forgotten. Those that are asked for already stay as they are. Inside a transaction."""
    write(_INSERT, [(adaptor, one, now) for one in sorted({*provider_ids} - {""})])


def due(adaptor: str, most: int) -> list[Copy]:
    """Those whose turn it is, longest due first."""
    sql = "SELECT id, provider_id, tries FROM store_copy WHERE adaptor = %s AND due_at <= %s ORDER BY due_at LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [adaptor, clock.now(), most])
        return [Copy(*row) for row in cursor.fetchall()]


def waiting(adaptor: str) -> int:
    """How many are still to be forgotten; it stops counting at `MOST_COUNTED`."""
    sql = "SELECT COUNT(*) FROM (SELECT 1 FROM store_copy WHERE adaptor = %s LIMIT %s) AS some"
    with connection.cursor() as cursor:
        cursor.execute(sql, [adaptor, MOST_COUNTED])
        return int(cursor.fetchone()[0])


class Answered(Whole, frozen=True, kw_only=True):
    """What the provider answered. `tried` are those that failed for a reason of their own, `held` those for which nobody could ask."""

    done: Sequence[Copy] = ()
    unknown: Sequence[Copy] = ()
    given_up: Sequence[Copy] = ()
    tried: Sequence[Copy] = ()
    held: Sequence[Copy] = ()

    @property
    def line(self) -> str:
        """Its own."""
        return "copies"

    def take(self, unit: Unit, lanes: Lanes) -> None:
        """What is done with goes; the rest has its turn later."""
        for label, some in (("done", self.done), ("unknown", self.unknown), ("given_up", self.given_up)):
            if some:
                unit.count("provider_copy", label, len(some))
        over = encode([one.id for some in (self.done, self.unknown, self.given_up) for one in some]).decode()
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM store_copy WHERE id {AMONG}", [over])
        later = [(one.id, one.tries + 1, unit.now + one.after) for one in self.tried]
        later += [(one.id, one.tries, unit.now + clock.MINUTE) for one in self.held]
        write(_UPDATE, later)
