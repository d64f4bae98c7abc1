"""Copies: has providers forget what messages say, once that was taken away here.

What is to be forgotten stands in the database until the provider says that it is done, so a crash costs a call that is made again, which
changes nothing. A message that fails is put off by itself. A provider that cannot be reached, or takes no requests now, is left alone for a
while; then others than the ones it was asked for have their turn first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from oncue.core import clock
from oncue.core.adaptor import Adaptor, Redacted
from oncue.store import copies
from oncue.store.config import AdaptorConfig
from oncue.store.copies import Answered, Copy
from oncue.store.writer import Writer
from oncue.workers.http import Client
from oncue.workers.sender import redactor

log = logging.getLogger("oncue.copies")

MOST = 50
"""Asked for in one round."""

AT_ONCE = 2
"""Calls under way at a time: nobody waits for these, and messages to people come first."""

REST_FOR = 60.0
"""Seconds for which a provider is left alone that cannot be asked."""


class Copies:
    """One round is `look`."""

    def __init__(self, writer: Writer, client: Client) -> None:
        self._writer = writer
        self._client = client
        self._rest_until: dict[str, float] = {}
        self._problems: dict[str, str] = {}

    async def look(self) -> None:
        """Ask for what is due, adaptor by adaptor."""
        snapshot = self._writer.snapshot
        for name, adaptor in snapshot.catalogue.items():
            if adaptor.redact is None:
                continue
            configured = snapshot.active(name)
            if configured and self._rest_until.get(name, 0.0) <= clock.elapsed():
                await self._ask(adaptor, configured)
            self._writer.gauges["provider_copies", name] = await asyncio.to_thread(copies.waiting, name)

    async def _ask(self, adaptor: Adaptor, configured: AdaptorConfig) -> None:
        found = await asyncio.to_thread(copies.due, adaptor.name, MOST)
        for start in range(0, len(found), AT_ONCE):
            some = found[start : start + AT_ONCE]
            answers = await asyncio.gather(*[self._asked(adaptor, configured, one) for one in some])
            await self._writer.do(_sorted(zip(some, answers, strict=True)))
            for one, answer in zip(some, answers, strict=True):
                if answer.problem and not answer.is_unknown and not answer.is_ours and one.is_last_try:
                    log.error("%s still has what message %s says: %s", adaptor.label, one.provider_id, answer.problem)
            refused = next((one for one in answers if one.is_ours or one.after is not None), None)
            self._tell(adaptor, refused)
            if refused:
                return

    async def _asked(self, adaptor: Adaptor, configured: AdaptorConfig, one: Copy) -> Redacted:
        assert adaptor.redact is not None
        http = self._client.recording(redactor(adaptor, configured.config))
        try:
            return await adaptor.redact(http, configured.config, one.provider_id)
        except Exception as bug:  # contained: others have their turn
            log.exception("having %s forget a message failed because of a fault in oncue", adaptor.name)
            return Redacted(problem=f"A fault in oncue interrupted it: {type(bug).__name__}.")

    def _tell(self, adaptor: Adaptor, refused: Redacted | None) -> None:
        problem = refused.problem if refused else ""
        if refused:
            self._rest_until[adaptor.name] = clock.elapsed() + (REST_FOR if refused.after is None else refused.after)
            if problem != self._problems.get(adaptor.name):
                log.warning("%s cannot be asked to forget messages: %s", adaptor.label, problem)
        self._problems[adaptor.name] = problem


def _sorted(answered: Iterable[tuple[Copy, Redacted]]) -> Answered:
    """By what becomes of each."""
    found: dict[str, list[Copy]] = {"done": [], "unknown": [], "held": [], "given_up": [], "tried": []}
    for one, answer in answered:
        if not answer.problem:
            found["done"].append(one)
        elif answer.is_unknown:
            found["unknown"].append(one)
        elif answer.is_ours:
            found["held"].append(one)
        else:
            found["given_up" if one.is_last_try else "tried"].append(one)
    return Answered(**found)
