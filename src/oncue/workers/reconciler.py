"""The reconciler: settles what is in doubt and asks after what is late.

In doubt is a message whose answer was lost. The provider's list is read for its number, a grace time after the attempt; what it lacks is
looked for once more a grace time later, and only then sent again. Late is a message whose callbacks stay away; it is asked after when it is
two minutes old, six, eighteen, and so on. Both go by what the database says, so a crash at any point costs at most a look that is repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from oncue.core import clock
from oncue.core.adaptor import Adaptor, Found, Polled
from oncue.core.http import Http
from oncue.store import doubt, late
from oncue.store.config import AdaptorConfig
from oncue.store.doubt import InDoubt, Looked, Settle
from oncue.store.jobs import Edit, Reports
from oncue.store.writer import Writer
from oncue.workers.http import Client
from oncue.workers.sender import redactor

log = logging.getLogger("oncue.reconciler")

T = TypeVar("T")

GRACE_FOR = 60.0
"""Seconds from an attempt to the first look, and from that to the second: longer than a call may last."""

HELD_FOR = 600.0
"""Seconds between looks at a message that is held for a member: what it may be may turn out to be another's."""

NUMBERS = 50
"""Numbers looked up in one round."""

AT_ONCE = 4
"""Lists read at a time."""

ASKED = 1_000
"""Late messages asked after in one round."""

PATIENCE = 5
"""Times that asking after the same messages may fail before others have their turn; they have theirs again at their next age."""

ROUNDS = 20
"""Rounds of asking without a pause, while there is more."""


class _Look(msgspec.Struct):
    """When a message in doubt is looked for next, and since when the list has been known to lack it (seconds, steady clock)."""

    next_at: float
    absent_since: float | None = None


class Reconciler:
    """One round is `look`."""

    def __init__(self, writer: Writer, client: Client) -> None:
        self._writer = writer
        self._client = client
        self._grace_for = GRACE_FOR
        self._looks: dict[InDoubt, _Look] = {}
        self._rest_until: dict[tuple[str, str], float] = {}
        """(adaptor, what was asked) → when it may be asked again (steady clock)."""
        self._problems: dict[tuple[str, str], str] = {}
        self._failures: dict[str, int] = {}
        """Adaptor → times in a row that it could not be asked after what is late."""

    async def look(self) -> None:
        """Settle what is due, ask after what is late."""
        known = await asyncio.to_thread(doubt.in_doubt)
        self._plan(known)
        for name in self._writer.snapshot.adaptors:
            self._writer.gauges["in_doubt_messages", name] = sum(one.adaptor == name for one in known)
        for adaptor, configured in self._able():
            if adaptor.find and not self._rests(adaptor, "find"):
                await self._settle(adaptor, configured, [one for one in known if one.adaptor == adaptor.name])
            if adaptor.fetch and not self._rests(adaptor, "fetch"):
                await self._ask(adaptor, configured)

    def _able(self) -> list[tuple[Adaptor, AdaptorConfig]]:
        snapshot = self._writer.snapshot
        found = [(adaptor, snapshot.active(name)) for name, adaptor in snapshot.catalogue.items()]
        return [(adaptor, configured) for adaptor, configured in found if configured]

    def _plan(self, known: Sequence[InDoubt]) -> None:
        """Whoever is in doubt is looked for a grace time after the attempt; whoever is not, or again for another attempt, is forgotten."""
        now, steady = clock.now(), clock.elapsed()
        before = self._looks
        self._looks = {}
        for one in known:
            left = min(self._grace_for, self._grace_for - (now - one.since) / clock.SECOND)
            self._looks[one] = before.get(one) or _Look(steady + left)

    async def _settle(self, adaptor: Adaptor, configured: AdaptorConfig, known: Sequence[InDoubt]) -> None:
        due = self._due(known)
        if not due:
            return
        found = await self._find(adaptor, configured, due)
        # After the lists were read: what is under way now may be in them, and whose it is cannot be said yet.
        asked = [one.id for some in due.values() for one in some]
        busy = await asyncio.to_thread(doubt.under_way, due, asked)
        settling = {to: answer for to, answer in found.items() if to not in busy}
        self._put_off([one for to in found if to in busy for one in due[to]])
        looked = [
            Looked(
                messages=tuple(one.id for one in due[to]),
                candidates=answer.candidates,
                may_send_again=answer.may_send_again,
                absent=frozenset(one.id for one in due[to] if self._was_absent(one)),
            )
            for to, answer in settling.items()
        ]
        absent = await self._writer.do(Settle(adaptor.name, looked)) if looked else frozenset()
        steady = clock.elapsed()
        for one in (one for to in settling for one in due[to]):
            is_absent = one.id in absent
            self._looks[one] = _Look(
                steady + (self._grace_for if is_absent else HELD_FOR), steady if is_absent else None
            )

    def _due(self, known: Sequence[InDoubt]) -> dict[str, list[InDoubt]]:
        """Those to one number are looked for together, once the last of them is due; whoever is due longest comes first."""
        steady = clock.elapsed()
        by_number: dict[str, list[InDoubt]] = {}
        for one in known:
            by_number.setdefault(one.recipient, []).append(one)
        due_at = {to: max(self._looks[one].next_at for one in some) for to, some in by_number.items()}
        due = sorted((to for to, at in due_at.items() if at <= steady), key=due_at.__getitem__)
        return {to: by_number[to] for to in due[:NUMBERS]}

    def _put_off(self, some: Iterable[InDoubt]) -> None:
        """Nothing could be said of these: others have their turn first."""
        for one in some:
            self._looks[one].next_at = clock.elapsed() + self._grace_for

    def _was_absent(self, message: InDoubt) -> bool:
        since = self._looks[message].absent_since
        return since is not None and clock.elapsed() - since >= self._grace_for

    async def _find(
        self, adaptor: Adaptor, configured: AdaptorConfig, due: dict[str, list[InDoubt]]
    ) -> dict[str, Found]:
        """What the provider's list shows, by number; without those that it could not be asked for."""
        assert adaptor.find is not None
        http = self._client.recording(redactor(adaptor, configured.config))
        wanted = [one.id for some in due.values() for one in some]
        sought = {one.message: one for one in await asyncio.to_thread(doubt.sought, wanted)}
        lists = {to: [sought[one.id] for one in some if one.id in sought] for to, some in due.items()}
        numbers = [to for to, some in lists.items() if some]
        found: dict[str, Found] = {}
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            find = partial(adaptor.find, http, configured.config)
            answers = await asyncio.gather(*[_contained(find(to, lists[to]), _unfound) for to in some])
            found.update((to, answer) for to, answer in zip(some, answers, strict=True) if not answer.problem)
            self._put_off([one for to in some if to not in found for one in due[to]])
            refused = next((answer for answer in answers if answer.problem), None)
            self._tell(adaptor, "find", refused.problem if refused else "", refused.after if refused else None)
            if refused:
                break
        return found

    async def _ask(self, adaptor: Adaptor, configured: AdaptorConfig) -> None:
        http = self._client.recording(redactor(adaptor, configured.config))
        for _ in range(ROUNDS):
            found = await asyncio.to_thread(late.find, adaptor, ASKED)
            self._writer.gauges["reconciler_behind_seconds", adaptor.name] = found.behind_for / clock.SECOND
            problem = await self._told(adaptor, configured, http, found) if found.asked else ""
            if (problem and self._failures[adaptor.name] < PATIENCE) or not found.seen:
                return
            self._failures[adaptor.name] = 0
            name, places = adaptor.name, found.places
            await self._writer.do(Edit(lambda name=name, places=places: late.come_to(name, places)))  # type: ignore[misc]
            if problem or found.behind_for < clock.MINUTE:
                return

    async def _told(self, adaptor: Adaptor, configured: AdaptorConfig, http: Http, found: late.Late) -> str:
        """Ask after these and record what is told; the problem, if there was one."""
        assert adaptor.fetch is not None
        told = await _contained(adaptor.fetch(http, configured.config, found.asked), _unasked)
        if told.reports:
            await self._writer.do(Reports(adaptor.name, told.reports, asked=True))
        self._tell(adaptor, "fetch", told.problem, told.after)
        self._failures[adaptor.name] = self._failures.get(adaptor.name, 0) + 1 if told.problem else 0
        return told.problem

    def _rests(self, adaptor: Adaptor, what: str) -> bool:
        return self._rest_until.get((adaptor.name, what), 0.0) > clock.elapsed()

    def _tell(self, adaptor: Adaptor, what: str, problem: str, after: float | None) -> None:
        if problem:
            self._rest_until[adaptor.name, what] = clock.elapsed() + (
                after if after is not None else self._grace_for / 2
            )
            if problem != self._problems.get((adaptor.name, what)):
                log.warning("%s cannot be asked what became of messages: %s", adaptor.name, problem)
        self._problems[adaptor.name, what] = problem


async def _contained(asking: Awaitable[T], failed: Callable[[str], T]) -> T:
    """What a provider answers. A fault of ours in asking is a provider that could not be asked, and keeps nobody else waiting."""
    try:
        return await asking
    except Exception as bug:
        log.exception("asking what became of messages failed because of a fault in oncue")
        return failed(f"A fault in oncue interrupted it: {type(bug).__name__}.")


def _unfound(problem: str) -> Found:
    return Found(problem=problem)


def _unasked(problem: str) -> Polled:
    return Polled(reports=(), problem=problem)
