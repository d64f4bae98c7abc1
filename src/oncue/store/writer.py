"""The one writer: every room hands it jobs; it runs them in groups, one transaction a group, on a thread of its own.

What it promises: an answer comes after the commit, so what was answered is on disk. A group is bounded in items and in time, and taken
in rotation from each line, so that no key starves another. An unexpected error splits the group until the item at fault stands alone;
its neighbours go through. When the database itself fails, every job of the group hears `StoreUnavailable` and nothing was kept; and until
it commits again, which is tried four times a second, whoever asks hears so at once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, connection, transaction

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.core.items import Overloaded, StoreUnavailable
from oncue.store import chain, claims, config, database, seen
from oncue.store.config import Snapshot
from oncue.store.jobs import Edit, Job, Probe
from oncue.store.jumps import Jumps
from oncue.store.lanes import Lanes, Resting
from oncue.store.lines import Lines, Pending, resolve
from oncue.store.message import Claimed
from oncue.store.metrics import Totals
from oncue.store.refusal import Refused
from oncue.store.rows import rows
from oncue.store.secrets import Vault
from oncue.store.shapes import Shape
from oncue.store.unit import Unit

log = logging.getLogger("oncue.store")

MOST_ITEMS = 1_000
"""Items in one transaction at most."""

LONGEST_FOR = 0.1
"""Seconds: after a transaction that took longer, the next groups are smaller."""

MOST_ROUNDS = 20
"""Rounds of claims in one transaction at most; the lane goes on in the next."""

IDLE_FOR = 0.1
"""Seconds between looks at whether another process changed the database, when there is nothing to do."""

CATCH_UP_WITHIN = 0.02
"""Seconds that the loop has to go through what a transaction told it before the next begins. The two would fight over Python's lock."""

CLAIM_AGAIN_AFTER = 2.0
"""Seconds for which what waits is left alone after the database, or oncue, failed: what is taken in goes on."""

COMMIT_AGAIN_AFTER = 0.25
"""Seconds between looks whether the database commits again."""

CHECKPOINT_AFTER = 2_000
"""Rows of work between checkpoints of the write-ahead log, roughly 10 MB."""

MOST_SHAPES = 20_000
"""Event names, and sets of properties by event name, that are known to be written down."""


class _ClaimFault(Exception):
    """A bug in claiming what waits: no job of the group is to blame."""


class Writer:
    """Runs jobs. Made and used on the event loop; its thread is its own."""

    def __init__(
        self, catalogue: Mapping[str, Adaptor], vault: Vault, boot: str, on_claimed: Callable[[list[Claimed]], None]
    ) -> None:
        self.boot = boot
        self.snapshot: Snapshot = config.load(catalogue, vault)
        """The configuration in force: replaced whole, never changed."""
        self.transactions = 0
        self.totals = Totals()
        """What was committed since the process began."""
        self.gauges: dict[tuple[str, str], float] = {}
        """What the workers last measured, by (name, adaptor); shown with the counters."""
        self.vault = vault
        self._on_claimed = on_claimed
        self._lanes = Lanes()
        self._jumps = Jumps()
        self._has_seen_before = False
        self._known_names: set[str] = set()
        self._known_shapes: set[Shape] = set()
        self._lines = Lines()
        self._limit = MOST_ITEMS
        self._since_checkpoint = 0
        self._claim_from = 0.0  # steady seconds
        self._data_version = 0
        self._woken = threading.Condition()
        self._stopping = False
        self._caught_up = threading.Event()
        """Whether the loop has gone through what the last transaction told it."""
        self._caught_up.set()
        self.problem = ""
        """Why nothing can be committed now."""
        self._thread = threading.Thread(target=self._run, name="oncue-writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def waiting(self) -> int:
        """Items queued."""
        return self._lines.waiting

    @property
    def doubts_clock(self) -> bool:
        """Whether the clock jumped lately: what cannot be undone waits."""
        return self._jumps.wrong_by_after(0) != 0

    def start(self) -> None:
        """Begin to work. On the event loop that will ask for it."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def do(self, job: Job) -> Any:
        """Run a job; its answer, once committed. Raises `StoreUnavailable`, `Overloaded`, or what the job's `poisoned` raises."""
        assert self._loop is not None
        future: asyncio.Future[Any] = self._loop.create_future()
        with self._woken:
            if self._stopping:
                raise StoreUnavailable("oncue is stopping")
            if self.problem:
                raise StoreUnavailable(self.problem)
            if not self._lines.has_room(job.line):
                raise Overloaded(1.0)
            self._lines.add(Pending(job, future))
            self._woken.notify()
        return await future

    async def probe(self, within: float) -> None:
        """Whether a transaction commits. Raises `StoreUnavailable`, or `TimeoutError` after `within` seconds."""
        await asyncio.wait_for(self.do(Probe()), within)

    def hold(self, adaptors: Iterable[str]) -> None:
        """Claim nothing for these until they were `heard`."""
        self._lanes.unheard.update(adaptors)

    def heard(self, adaptor: str) -> None:
        """What people wrote while oncue was away is known."""
        self._lanes.unheard.discard(adaptor)

    def resting(self) -> list[Resting]:
        """Lanes whose provider does not answer."""
        return self._lanes.resting()

    def stop_claiming(self) -> None:
        """Take no new message in hand: the process is about to end."""
        self._lanes.is_closed = True

    async def stop(self) -> None:
        """Finish what is queued, checkpoint, and end the thread."""
        with self._woken:
            self._stopping = True
            self._woken.notify()
        await asyncio.to_thread(self._thread.join)

    def _catch_up(self) -> None:
        assert self._loop is not None
        self._loop.call_soon(self._caught_up.set)  # behind the tasks that were told just now

    # On the writer's thread from here on.

    def _run(self) -> None:
        try:
            self._begin()
            while True:
                group = self._next_group()
                if group is None:
                    break
                self._serve(group)
                if self.problem:
                    self._recover()
            self._checkpoint(database.close_log)
        except BaseException:  # the process cannot go on without its writer
            log.critical(
                "the writer has stopped because of a bug; oncue will answer 503 until it is restarted", exc_info=True
            )
            self._abandon()
        finally:
            connection.close()

    def _begin(self) -> None:
        database.be_writer()
        self._known_names = {row["name"] for row in rows("SELECT name FROM store_eventname LIMIT %s", [MOST_SHAPES])}
        self._has_seen_before = seen.has_before()
        claims.restore(self._lanes)
        self._jumps.begin()

    def _next_group(self) -> list[Pending] | None:
        """The next jobs, in rotation; an empty group when some waiting message may go, or to look at the configuration; None to end."""
        self._caught_up.wait(CATCH_UP_WITHIN)
        with self._woken:
            if not self._lines:
                if self._stopping:
                    return None
                self._woken.wait(min(IDLE_FOR, self._next_after()))
            return self._lines.group(self._limit, MOST_ITEMS)

    def _next_after(self) -> float:
        if self._lanes.is_closed or clock.elapsed() < self._claim_from:
            return IDLE_FOR
        active = {name: one.is_active for name, one in self.snapshot.adaptors.items()}
        after = self._lanes.next_after(active)
        return IDLE_FOR if after is None else after

    def _is_idle(self) -> bool:
        """Whether neither a waiting message nor a change made by another process (`oncue apply`) calls for a transaction."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA data_version")
                version = int(cursor.fetchone()[0])
        except DatabaseError as error:  # out of file handles, say: looked at again in a moment
            log.error("the database cannot be read: %s", error)
            connection.close()
            return True
        changed, self._data_version = version != self._data_version, version
        return not changed and self._next_after() > 0 and not self._jumps.look()

    def _serve(self, group: list[Pending]) -> None:
        if not group and self._is_idle():
            return
        began = clock.elapsed()
        answers = self._attempt([pending.job for pending in group])
        took = clock.elapsed() - began
        size = sum(pending.job.size for pending in group)
        self._limit = max(20, self._limit // 2) if took > LONGEST_FOR else min(MOST_ITEMS, self._limit + 50)
        if group:
            self._tell(resolve, group, answers)
            self._caught_up.clear()
            self._tell(self._catch_up)
        self._since_checkpoint += size + 1
        if self._since_checkpoint >= CHECKPOINT_AFTER:
            self._since_checkpoint = 0
            self._checkpoint()

    def _checkpoint(self, how: Callable[[], None] | None = None) -> None:
        """One that fails (a full disk) is made up for by the next; what was committed is safe in the log."""
        try:
            (how or database.checkpoint)()
        except DatabaseError as error:
            log.error("the write-ahead log could not be moved into the database: %s", error)

    def _attempt(self, jobs: list[Job]) -> list[Any]:
        """The answers, in order; an answer may be an exception."""
        try:
            return self._transact(jobs)
        except _ClaimFault as fault:
            log.error("waiting messages could not be claimed because of a fault in oncue", exc_info=fault.__cause__)
            self._claim_from = clock.elapsed() + CLAIM_AGAIN_AFTER
            return self._attempt(jobs)
        except Exception as error:
            if not database.is_at_fault(error):
                return self._bisect(jobs, error)
            log.error("the store could not commit: %s", error)
            self._give_up(str(error))
            return [StoreUnavailable(str(error))] * len(jobs)

    def _give_up(self, problem: str) -> None:
        """Nobody waits for what cannot be: all that is queued, and whoever asks from now on, hears so at once."""
        connection.close()
        self._claim_from = clock.elapsed() + CLAIM_AGAIN_AFTER
        with self._woken:
            self.problem = problem
            left = self._lines.all()
        self._tell(resolve, left, [StoreUnavailable(problem)] * len(left))

    def _recover(self) -> None:
        """Look again and again whether a transaction commits, until one does or the process ends."""
        while True:
            with self._woken:
                if self._stopping or self._woken.wait_for(lambda: self._stopping, COMMIT_AGAIN_AFTER):
                    return
            try:
                database.be_writer()
                self._transact([Probe()])
            except DatabaseError as error:
                connection.close()
                if str(error) != self.problem:
                    self.problem = str(error)
                    log.error("the store still cannot commit: %s", error)
            except Exception:
                break  # a fault of ours in what waits: the database was able to begin
            else:
                break
        log.info("the store commits again")
        self.problem = ""

    def _bisect(self, jobs: list[Job], error: Exception) -> list[Any]:
        if len(jobs) > 1:
            middle = len(jobs) // 2
            return self._attempt(jobs[:middle]) + self._attempt(jobs[middle:])
        if not jobs:
            log.error("an empty transaction failed because of a fault in oncue", exc_info=error)
            self._claim_from = clock.elapsed() + CLAIM_AGAIN_AFTER
            return []
        if isinstance(error, Refused):  # the caller's to hear, and no fault
            return [error]
        halves = jobs[0].halves()
        if halves is None:
            log.error("a job failed because of a fault in oncue: %r", jobs[0].line, exc_info=error)
            try:
                return [jobs[0].poisoned(error)]
            except Exception as raised:
                return [raised]
        first, second = (self._attempt([half])[0] for half in halves)
        for answer in (first, second):
            if isinstance(answer, Exception):
                return [answer]
        return [jobs[0].join(first, second)]

    def _transact(self, jobs: list[Job]) -> list[Any]:
        before = self.snapshot
        try:
            with transaction.atomic(durable=True):
                jump = self._jumps.look()
                if jump:
                    self._jumps.settle(jump)
                unit = Unit(self.snapshot, clock.now(), self.boot, self._known_names, self._known_shapes)
                unit.wrong_by = self._jumps.wrong_by_after(jump)
                unit.has_seen_before = self._has_seen_before
                for job in jobs:
                    job.want(unit)
                unit.load_wanted()
                if unit.version != self.snapshot.version:
                    self._refresh()
                    unit.snapshot = self.snapshot
                answers = [job.take(unit, self._lanes) for job in jobs]
                chain.run(unit, self._lanes)
                unit.flush()
                if clock.elapsed() >= self._claim_from:
                    self._claim_contained(unit)
        except BaseException:
            self._lanes.roll_back()
            self.snapshot = before  # what was read may be what was not committed
            raise
        if any(isinstance(job, Edit) for job in jobs):
            # What was changed holds for whoever looks next, not only for the next transaction.
            with suppress(DatabaseError):
                self._refresh()
        self._lanes.commit()
        if jump:
            self._jumps.note(jump)
            claims.restore(self._lanes)
        if unit.new_names or unit.new_shapes:
            self._remember(unit.new_names, unit.new_shapes)
        self.totals.add(unit.counted)
        self.transactions += 1
        if unit.claimed:
            self._tell(self._on_claimed, unit.claimed)
        return answers

    def _remember(self, names: Iterable[str], shapes: Iterable[Shape]) -> None:
        """An app may make names up: what is forgotten is looked up, or written down, again."""
        for known, new in ((self._known_names, names), (self._known_shapes, shapes)):
            if len(known) > MOST_SHAPES:
                known.clear()
            known.update(new)  # type: ignore[arg-type]

    def _claim_contained(self, unit: Unit) -> None:
        try:
            self._claim_waiting(unit)
        except Exception as error:
            if database.is_at_fault(error):
                raise
            raise _ClaimFault from error

    def _claim_waiting(self, unit: Unit) -> None:
        """What is claimed may expire or be refused instead, whose events may trigger rules, and so on."""
        rounds = 0
        claims.claim_waiting(unit, self._lanes)
        while unit.fresh:
            chain.run(unit, self._lanes)
            unit.flush()
            rounds += 1
            if rounds < MOST_ROUNDS:  # ten thousand stale ones in a slow lane are not the work of one transaction
                claims.claim_waiting(unit, self._lanes)
        unit.flush()

    def _refresh(self) -> None:
        if config.version() != self.snapshot.version:
            before = self.snapshot
            self.snapshot = config.load(before.catalogue, self.vault, before)
            claims.restore(self._lanes)

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(function, *arguments)

    def _abandon(self) -> None:
        with self._woken:
            self._stopping = True
            left = self._lines.all()
        self._tell(resolve, left, [StoreUnavailable("the writer has stopped")] * len(left))
