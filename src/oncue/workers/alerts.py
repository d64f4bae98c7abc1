"""Alerts: every round the watch looks, what it found is opened, what is over is closed, and members are told of what is new, once.

Whoever cannot be told is tried again, later each time, as long as the alert is open; the page of alerts says why.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import msgspec

from oncue.core import backoff, clock
from oncue.store import alerting, alerts
from oncue.store.jobs import Edit
from oncue.store.rows import Row
from oncue.store.writer import Writer
from oncue.workers import heralds
from oncue.workers.heralds import Herald
from oncue.workers.http import Client
from oncue.workers.watch import Watch

log = logging.getLogger("oncue.alerts")

LOOK_AFTER = 5.0
"""Seconds between rounds."""

PAGE = "/settings/alerts"

NOBODY = "Nobody can be told: the Email adaptor is not active and there is no webhook."


class _Failure(msgspec.Struct, frozen=True):
    count: int = 0
    again_at: float = 0.0
    sentence: str = ""


class Alerts:
    """One round is `look`."""

    def __init__(self, writer: Writer, client: Client, public_url: str) -> None:
        self._writer = writer
        self._client = client
        self._public_url = public_url
        self._watch = Watch()
        self._told: set[tuple[int, Herald]] = set()
        """Who was told of what is not told to everybody yet."""
        self._failed: dict[Herald, _Failure] = {}
        self._problem: str | None = None

    async def look(self) -> None:
        """Look, and tell."""
        opening, closing = await asyncio.to_thread(self._look)
        if opening or closing:
            await self._writer.do(Edit(partial(alerts.settle, opening, closing)))
            for one in opening:
                log.warning("alert: %s", one.sentence)
        await self._tell(await asyncio.to_thread(alerts.to_tell))

    def _look(self) -> tuple[list[alerts.Alarm], list[int]]:
        open_now = alerts.open_ones()
        known = frozenset((row["kind"], row["key"]) for row in open_now)
        found = self._watch.look(self._writer.snapshot, self._public_url, known, self._writer.resting())
        return alerts.differing(open_now, found)

    async def _tell(self, untold: list[Row]) -> None:
        self._told = {(seq, way) for seq, way in self._told if any(seq == row["seq"] for row in untold)}
        if not untold:
            return
        ways = await asyncio.to_thread(self._ways)
        problems = [await self._tell_one(way, untold) for way in ways] if ways else [NOBODY]
        done = [row["seq"] for row in untold if ways and all((row["seq"], way) in self._told for way in ways)]
        await self._record(done, " ".join(filter(None, problems)))

    def _ways(self) -> list[Herald]:
        given = alerting.read_alerting()
        return heralds.ways(self._writer.snapshot, alerting.addresses(given), given.webhook_url)

    async def _tell_one(self, way: Herald, untold: list[Row]) -> str:
        """The sentence that says why it could not be told, if so."""
        news = [row for row in untold if (row["seq"], way) not in self._told]
        if not news:
            return ""
        failure = self._failed.get(way, _Failure())
        if failure.again_at > clock.elapsed():
            return failure.sentence
        page = f"{self._public_url}{PAGE}" if self._public_url else ""
        reason = await heralds.tell(self._client, self._writer.snapshot, way, news, page)
        if not reason:
            self._told.update((row["seq"], way) for row in news)
            self._failed.pop(way, None)
            return ""
        sentence = f"{way.shown} could not be told: {reason}"
        log.warning("%s", sentence)
        again_at = clock.elapsed() + backoff.after(failure.count + 1)
        self._failed[way] = _Failure(failure.count + 1, again_at, sentence)
        return sentence

    async def _record(self, done: list[int], problem: str) -> None:
        if not done and problem == self._problem:
            return

        def write() -> None:
            alerts.told(done)
            alerting.note_problem(problem)

        await self._writer.do(Edit(write))
        self._problem = problem
