"""The supervisor: keeps the workers going. One that fails is logged and tried again; it never takes the process with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from oncue.core import backoff
from oncue.core.items import Overloaded, StoreUnavailable
from oncue.store import database

log = logging.getLogger("oncue.workers")

Work = Callable[[], Awaitable[None]]


class Supervisor:
    """Runs functions again and again, each in a task of its own."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def every(self, seconds: float, name: str, work: Work) -> None:
        """Run `work` every so many seconds, from now on."""
        self._tasks.append(asyncio.create_task(self._keep(seconds, name, work), name=name))

    async def stop(self, within: float) -> None:
        """Let each finish what it is doing, for `within` seconds at most."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _keep(self, seconds: float, name: str, work: Work) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                await work()
                failures = 0
            except Exception as error:
                failures += 1
                if isinstance(error, StoreUnavailable | Overloaded) or database.is_at_fault(error):
                    log.warning("%s waits for the store: %s", name, error)
                else:
                    log.exception("%s failed because of a fault in oncue; it is tried again", name)
            await self._pause(max(seconds, backoff.after(failures)) if failures else seconds)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
