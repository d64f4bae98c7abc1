"""The janitor: lets stale messages expire, and forgets clients' ids that are old enough."""

from __future__ import annotations

from oncue.core import clock
from oncue.store import seen
from oncue.store.jobs import Edit, Sweep
from oncue.store.writer import Writer


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
        """Once a day, forget the ids of clients' events too old to be accepted again."""
        today = seen.day_of(clock.now())
        while self._forgot_on < today:
            if not await self._writer.do(Edit(lambda: seen.forget(today))):
                self._forgot_on = today
