"""The janitor: lets stale messages expire, forgets clients' ids that are old enough, and whatever members want kept no longer."""

from __future__ import annotations

import asyncio
from functools import partial

from oncue.core import clock
from oncue.store import retention, seen
from oncue.store.bodies import Redact
from oncue.store.jobs import Edit, Sweep
from oncue.store.writer import Writer

PAUSE_FOR = 0.05
"""Seconds between two transactions of forgetting, in which others have the writer to themselves: there may be millions of rows the first time."""


class Janitor:
    """Tidies in small steps, each a job of the writer like any other."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._forgot_on = 0

    async def sweep(self) -> None:
        """Expire what is past its send-by time, in bounded transactions until there is no more."""
        while await self._writer.do(Sweep()):
            pass

    async def forget(self) -> None:
        """Once a day, forget the ids of clients' events too old to be accepted again; and what is older than members want it kept.
        Not while the clock is in doubt: what is forgotten by mistake does not come back."""
        if self._writer.doubts_clock:
            return
        await self._forget_ids()
        kept = await asyncio.to_thread(retention.read_retention)
        if kept.bodies:  # first, so that a provider is asked to forget what is forgotten here
            await self._redact(clock.now() - kept.bodies * clock.DAY)
        for what, older_than in retention.due(kept):
            await self._forget(what, older_than)

    async def _redact(self, older_than: int) -> None:
        is_more = await self._writer.do(Redact(older_than=older_than, open=True))
        while is_more:
            await asyncio.sleep(PAUSE_FOR)
            is_more = await self._writer.do(Redact(older_than=older_than))

    async def _forget(self, what: str, older_than: int) -> None:
        after: int | None = await asyncio.to_thread(retention.begin, what)
        while after is not None:
            edit = Edit(partial(retention.forget, what, after, older_than))
            after = await self._writer.do(edit)
            await asyncio.sleep(PAUSE_FOR)

    async def _forget_ids(self) -> None:
        today = seen.day_of(clock.now())
        while self._forgot_on < today:
            if not await self._writer.do(Edit(lambda: seen.forget(today))):
                self._forgot_on = today
