"""The poller: without a public URL, asks providers what became of messages and who replied, and reports it as a callback would.

How far it has come is saved in the same transaction as what it found, so a crash between the two repeats reports, which change nothing.
"""

from __future__ import annotations

import asyncio
import logging

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.store.adaptors import cursor
from oncue.store.config import AdaptorConfig
from oncue.store.jobs import Reports
from oncue.store.writer import Writer
from oncue.workers.http import Client
from oncue.workers.sender import redactor

log = logging.getLogger("oncue.poller")

SOON_AFTER = 2.0
"""Seconds between polls while someone may be waiting for a status or typing a reply."""

LATER_AFTER = 15.0
"""And when nothing has been sent or heard for a while."""

HOLD_FOR = 60.0
"""Seconds after the start for which nothing is sent unless a poll has succeeded: someone may have replied STOP meanwhile."""

_LIVELY_FOR = 180.0
"""Seconds after something was sent or heard."""


class Poller:
    """Polls each active adaptor that can be polled."""

    def __init__(self, writer: Writer, client: Client) -> None:
        self._writer = writer
        self._client = client
        self._next_at: dict[str, float] = {}
        self._lively_until: dict[str, float] = {}
        self._submitted = 0
        self._began = clock.elapsed()
        self._problems: dict[str, str] = {}

    async def poll(self) -> None:
        """Poll what is due; whatever can be polled is, soon after something was sent."""
        submitted = self._writer.totals["attempt", "Submitted"]
        if submitted != self._submitted:
            self._submitted = submitted
            self._hurry()
        for name, adaptor in self._writer.snapshot.catalogue.items():
            configured = self._writer.snapshot.active(name)
            if adaptor.poll and configured and self._next_at.get(name, 0.0) <= clock.elapsed():
                await self._poll(adaptor, configured)

    async def _poll(self, adaptor: Adaptor, configured: AdaptorConfig) -> None:
        assert adaptor.poll is not None
        before = await asyncio.to_thread(cursor, adaptor.name)
        http = self._client.recording(redactor(adaptor, configured.config))
        polled = await adaptor.poll(http, configured.config, before)
        self._tell(adaptor.name, polled.problem)
        if polled.reports or polled.cursor != before:
            await self._writer.do(Reports(adaptor.name, polled.reports, polled.cursor))
        now = clock.elapsed()
        if not polled.problem or now - self._began > HOLD_FOR:
            self._writer.heard(adaptor.name)
        if polled.reports:
            self._lively_until[adaptor.name] = now + _LIVELY_FOR
        pause = SOON_AFTER if self._lively_until.get(adaptor.name, 0.0) > now else LATER_AFTER
        self._next_at[adaptor.name] = now + (polled.after if polled.after is not None else pause)

    def _hurry(self) -> None:
        now = clock.elapsed()
        for name in self._writer.snapshot.catalogue:
            self._lively_until[name] = now + _LIVELY_FOR
            # Sooner than planned, unless the provider asked to be left alone for longer than our own pause.
            if self._next_at.get(name, now) - now <= LATER_AFTER:
                self._next_at[name] = min(self._next_at.get(name, now), now + SOON_AFTER)

    def _tell(self, adaptor: str, problem: str) -> None:
        if problem and problem != self._problems.get(adaptor):
            log.warning("%s could not be polled: %s", adaptor, problem)
        self._problems[adaptor] = problem
