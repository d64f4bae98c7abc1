"""Jobs: what the rooms ask the writer to do, each all or nothing.

A job first says what it needs (`want`), which is read for the whole group in a few statements, and then does it (`take`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from django.db import connection

from oncue.core.adaptor import Reply, Status
from oncue.core.items import Item, JoinItem, Key, Verdict
from oncue.store import chain, claims, intake, joining, report, results
from oncue.store.lanes import Lanes
from oncue.store.results import Attempted
from oncue.store.unit import Unit, encode


class Job(Protocol):
    """One piece of work for the writer."""

    @property
    def size(self) -> int:
        """How many items it holds."""
        ...

    @property
    def line(self) -> str:
        """Whose turn it takes: lines are served in rotation, so that one noisy key cannot starve another."""
        ...

    def want(self, unit: Unit) -> None:
        """Say what it needs."""
        ...

    def take(self, unit: Unit, lanes: Lanes) -> Any:
        """Do it; what it returns is the answer once the transaction is committed."""
        ...

    def halves(self) -> tuple[Job, Job] | None:
        """The job cut in two, to find the item that fails; None if it cannot be cut."""
        ...

    def join(self, first: Any, second: Any) -> Any:
        """The answer of the whole from the answers of its halves."""
        ...

    def poisoned(self, error: Exception) -> Any:
        """The answer when this job alone fails unexpectedly; raises if there is no other way to say so."""
        ...


class Poisoned(Exception):
    """This job fails for a reason of its own, a bug; its neighbours went through."""


class Whole(msgspec.Struct, frozen=True):
    """A job that cannot be cut: the beginning of most."""

    @property
    def size(self) -> int:
        """One."""
        return 1

    @property
    def line(self) -> str:
        """The one of jobs that say nothing else."""
        return ""

    def want(self, unit: Unit) -> None:
        """Nothing."""

    def halves(self) -> tuple[Job, Job] | None:
        """It has none."""
        return None

    def join(self, first: Any, second: Any) -> Any:
        """Never asked for."""
        raise AssertionError("this job is not cut")

    def poisoned(self, error: Exception) -> Any:
        """Whoever asked hears of it."""
        raise Poisoned from error


class Intake(msgspec.Struct, frozen=True):
    """Take in the items of one call. Answers a verdict for each."""

    key: Key
    items: Sequence[Item]

    @property
    def size(self) -> int:
        """How many items."""
        return len(self.items)

    @property
    def line(self) -> str:
        """Each key has its own."""
        return self.key.id

    def want(self, unit: Unit) -> None:
        """Users, and the ids seen before."""
        intake.want(unit, self.key.origin, self.items)

    def take(self, unit: Unit, lanes: Lanes) -> list[Verdict]:
        """In order: an event is considered with its user as they were then, before a later item changes them."""
        verdicts = []
        for given in self.items:
            item = intake.resolved(unit, given, self.key.family)
            if isinstance(item, JoinItem):
                verdict = intake.recognised(unit, self.key, item)
                verdicts.append(
                    verdict if verdict.duplicate else joining.join(unit, lanes, item.alias, item.user, self.key.family)
                )
                continue
            if item.user in unit.awaiting and intake.changes_user(item):
                chain.run(unit, lanes)
            verdicts.append(intake.take(unit, self.key, item))
        return verdicts

    def halves(self) -> tuple[Job, Job] | None:
        """The items, cut in the middle."""
        if len(self.items) < 2:
            return None
        middle = len(self.items) // 2
        return Intake(self.key, self.items[:middle]), Intake(self.key, self.items[middle:])

    def join(self, first: list[Verdict], second: list[Verdict]) -> list[Verdict]:
        """One after the other."""
        return first + second

    def poisoned(self, error: Exception) -> list[Verdict]:
        """The one item that cannot be processed is refused, and only that."""
        return [
            Verdict(
                error="oncue could not process this item because of a fault of its own, which is in its log; it was not kept.",
                is_ours=True,
            )
        ]


class Reports(msgspec.Struct, frozen=True):
    """What a provider says, by callback or found by polling. With a cursor, how far polling has come, in the same transaction."""

    adaptor: str
    reports: Sequence[Status | Reply]
    cursor: dict[str, Any] | None = None
    asked: bool = False
    """Whether we asked, since the provider's own calls were late."""

    @property
    def size(self) -> int:
        """How many reports."""
        return len(self.reports) or 1

    @property
    def line(self) -> str:
        """Each adaptor has its own."""
        return f"reports {self.adaptor}"

    def want(self, unit: Unit) -> None:
        """Messages and what triggered them."""
        report.want(unit, self.adaptor, self.reports)

    def take(self, unit: Unit, lanes: Lanes) -> None:
        """In order."""
        adaptor = unit.snapshot.catalogue[self.adaptor]
        for one in self.reports:
            if isinstance(one, Status):
                is_news = report.take_status(unit, adaptor, one)
                if is_news and self.asked:
                    unit.count("healed", self.adaptor)
            else:
                report.take_reply(unit, adaptor, one)
        if self.cursor is not None:
            with connection.cursor() as cursor:
                sql = "UPDATE store_adaptor SET poll_cursor = %s WHERE name = %s"
                cursor.execute(sql, [encode(self.cursor).decode(), self.adaptor])

    def halves(self) -> tuple[Job, Job] | None:
        """The reports, cut in the middle; the cursor moves with the second half, and without the last report if need be."""
        if len(self.reports) < 2:
            if not self.reports or self.cursor is None:
                return None
            return Reports(self.adaptor, self.reports, asked=self.asked), Reports(self.adaptor, (), self.cursor)
        middle = len(self.reports) // 2
        first, second = self.reports[:middle], self.reports[middle:]
        return Reports(self.adaptor, first, asked=self.asked), Reports(self.adaptor, second, self.cursor, self.asked)

    def join(self, first: None, second: None) -> None:
        """There is no answer to join."""

    def poisoned(self, error: Exception) -> None:
        """The provider is told, so that it may try again."""
        raise Poisoned from error


class Record(Whole, frozen=True):
    """Record what an attempt came to."""

    attempted: Attempted

    @property
    def line(self) -> str:
        """Before anything new is taken in."""
        return "results"

    def want(self, unit: Unit) -> None:
        """The message, and what triggered it."""
        unit.wanted.messages.add(self.attempted.message)

    def take(self, unit: Unit, lanes: Lanes) -> None:
        """With all its consequences."""
        lanes.release(self.attempted.adaptor)
        results.take(unit, lanes, self.attempted)


class Release(Whole, frozen=True):
    """Give back the slot of a call whose result cannot be recorded; its message is `unknown` from the next start on."""

    adaptor: str

    @property
    def line(self) -> str:
        """With the results."""
        return "results"

    def take(self, unit: Unit, lanes: Lanes) -> None:
        """The slot alone."""
        lanes.release(self.adaptor)


class Probe(Whole, frozen=True):
    """Nothing, committed: shows that the store can."""

    @property
    def line(self) -> str:
        """With what must not wait."""
        return "results"

    def take(self, unit: Unit, lanes: Lanes) -> None:
        """Something is written: with a full disk the write lock can be had all the same."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO store_setting (name, value) VALUES ('probed_at', %s) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [str(unit.now)],
            )


class Sweep(Whole, frozen=True):
    """Let stale messages expire. Answers how many did."""

    @property
    def line(self) -> str:
        """Its own."""
        return "sweep"

    def take(self, unit: Unit, lanes: Lanes) -> int:
        """Those whose send-by time has passed."""
        return claims.expire(unit)


class Edit(Whole, frozen=True):
    """Change something else in the database, by a function that is run inside the transaction. What it raises reaches the caller."""

    change: Callable[[], Any]

    @property
    def line(self) -> str:
        """Its own."""
        return "edit"

    def take(self, unit: Unit, lanes: Lanes) -> Any:
        """Whatever the function answers."""
        return self.change()

    def poisoned(self, error: Exception) -> Any:
        """The error is the caller's to handle."""
        raise error
