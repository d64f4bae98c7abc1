"""The sender: carries claimed messages to their provider and has the result recorded.

What it promises: nothing is sent that was not claimed in a committed transaction, nothing is sent from memory after the process was
stopped for a while or after its send-by time, and a result is offered to the store until it is recorded. Until then the message's slot stays taken, so a store
that cannot record stops new claims by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from oncue.core import backoff, clock
from oncue.core.adaptor import Adaptor, Outgoing
from oncue.core.items import StoreUnavailable
from oncue.core.outcome import Outcome, Unknown
from oncue.core.redact import Redactor
from oncue.store.config import AdaptorConfig
from oncue.store.jobs import Poisoned, Record, Release
from oncue.store.message import Claimed
from oncue.store.results import Attempted
from oncue.store.writer import Writer
from oncue.workers.deadlines import Deadlines
from oncue.workers.http import Client

log = logging.getLogger("oncue.sender")

STALE_AFTER = 10.0
"""Seconds from claim to call: after more, the process must have been stopped, and what it knew may no longer hold."""

LONGEST_FOR = 120.0
"""Seconds for one call at most, whatever deadlines the adaptor keeps: a call that never ended would keep its slot for good."""


class Sender:
    """Sends. `take` is the writer's `on_claimed`."""

    def __init__(self, client: Client, public_url: str) -> None:
        self._client = client
        self._public_url = public_url
        self._writer: Writer | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._deadlines = Deadlines()
        self._redactors: dict[str, tuple[AdaptorConfig, Redactor]] = {}

    def serve(self, writer: Writer) -> None:
        """Send what this writer claims."""
        self._writer = writer

    def take(self, claimed: list[Claimed]) -> None:
        """Send these, all at once: the writer claimed no more than there are slots."""
        for one in claimed:
            task = asyncio.create_task(self._carry(one))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def drain(self, within: float) -> int:
        """Wait for calls under way and their records, for `within` seconds at most; returns how many are left."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=within)
        return len(self._under_way)

    async def _carry(self, claimed: Claimed) -> None:
        assert self._writer is not None
        adaptor = self._writer.snapshot.catalogue[claimed.adaptor]
        configured = self._writer.snapshot.active(claimed.adaptor)
        started_at = clock.now()
        outcome: Outcome | None = None
        exchange = "[]"
        if configured and clock.elapsed() - claimed.at <= STALE_AFTER and claimed.send_by > started_at:
            outcome, exchange = await self._attempt(adaptor, configured, claimed)
        attempted = Attempted(
            message=claimed.id,
            adaptor=claimed.adaptor,
            number=claimed.attempt,
            outcome=outcome,
            exchange=exchange,
            started_at=started_at,
            ended_at=clock.now(),
        )
        await self._record(self._writer, attempted)

    async def _attempt(self, adaptor: Adaptor, configured: AdaptorConfig, claimed: Claimed) -> tuple[Outcome, str]:
        action = adaptor.action(claimed.action)
        http = self._client.recording(self._redactor(adaptor, configured))
        outgoing = Outgoing(
            id=claimed.id,
            attempt=claimed.attempt,
            fields=claimed.fields,
            recipient=claimed.recipient,
            callback_url=self._callback_url(adaptor, claimed.id),
            send_by=claimed.send_by,
        )
        limit = self._deadlines.set(LONGEST_FOR)
        try:
            assert action is not None and action.send is not None
            async with limit:
                outcome = await action.send(http, configured.config, outgoing)
        except Exception as bug:  # contained: it may have been sent, so nobody sends it again unasked
            if limit.expired():
                log.error("sending message %s was given up after %.0f seconds", claimed.id, LONGEST_FOR)
                outcome = Unknown(f"The call had not ended after {LONGEST_FOR:.0f} seconds.")
            else:
                log.exception("sending message %s failed because of a fault in oncue", claimed.id)
                outcome = Unknown(f"A fault in oncue interrupted the attempt: {type(bug).__name__}.")
        finally:
            self._deadlines.unset(limit)
        return outcome, msgspec.json.encode(http.records).decode()

    def _callback_url(self, adaptor: Adaptor, message: str) -> str:
        if not (self._public_url and adaptor.status_inbound):
            return ""
        return f"{self._public_url}/hooks/{adaptor.name}/{adaptor.status_inbound}/{message}"

    def _redactor(self, adaptor: Adaptor, configured: AdaptorConfig) -> Redactor:
        known = self._redactors.get(adaptor.name)
        if known is None or known[0] is not configured:
            known = self._redactors[adaptor.name] = (configured, redactor(adaptor, configured.config))
        return known[1]

    async def _record(self, writer: Writer, attempted: Attempted) -> None:
        attempt = 0
        job: Record | Release = Record(attempted)
        while True:
            attempt += 1
            try:
                await writer.do(job)
                return
            except StoreUnavailable as unavailable:
                log.error("the result of message %s is not recorded yet: %s", attempted.message, unavailable)
                await asyncio.sleep(backoff.after(min(attempt, 5)))
            except Poisoned:
                log.exception("the result of message %s cannot be recorded", attempted.message)
                if isinstance(job, Release):
                    return
                job = Release(attempted.adaptor)


def redactor(adaptor: Adaptor, config: Mapping[str, Any]) -> Redactor:
    """Hides this configuration's secrets."""
    return Redactor(str(config[field.name]) for field in adaptor.config if field.is_secret and config.get(field.name))
