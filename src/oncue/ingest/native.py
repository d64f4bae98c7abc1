"""`POST /v1/events`: the native format. 202 means on disk; every item has its own verdict, and one bad item never sinks the rest."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from oncue.core import clock
from oncue.core.items import Item, Key, Overloaded, Source, StoreUnavailable, Verdict
from oncue.ingest import items
from oncue.ingest.answers import Hears, Refused, Scope, Send, answer_json, header, read_body
from oncue.ingest.counts import Counts
from oncue.ingest.doors import Doors
from oncue.ingest.limits import Limits

T = TypeVar("T")


class Native:
    """The door for apps."""

    def __init__(self, doors: Doors, reserved: tuple[str, ...], counts: Counts, limits: Limits) -> None:
        self._doors = doors
        self._reserved = reserved
        self._counts = counts
        self._limits = limits

    async def events(self, scope: Scope, receive: Hears, send: Send) -> int:
        """Answer one request; returns the status. Raises `Refused`."""
        if scope["method"] != "POST":
            raise Refused(405, "Send events with POST.", (b"allow", b"POST"))
        key = self._key(scope)
        kind = header(scope, b"content-type").split(b";")[0].strip().lower()
        if kind not in (b"application/json", b""):
            raise Refused(415, f"Send application/json, not {kind.decode('latin-1')}.")
        body = await read_body(scope, receive, items.MOST_BYTES)
        batch = items.read(body, clock.now(), self._reserved)
        if isinstance(batch, str):
            raise Refused(400, batch)
        if after := self._limits.take(key, len(batch.entries)):
            raise over_limit(key, after)
        verdicts = await self._take_in(key, batch.entries)
        return await self._answer(send, batch, verdicts)

    def _key(self, scope: Scope) -> Key:
        scheme, _, token = header(scope, b"authorization").partition(b" ")
        key = (
            self._doors.key(token.strip().decode("latin-1")) if scheme.lower() == b"bearer" and token.strip() else None
        )
        if key is None:
            sentence = "Send an API key: `Authorization: Bearer …`. `oncue key create NAME` makes one."
            if scheme.lower() == b"bearer" and token.strip():
                sentence = (
                    "The API key in `Authorization: Bearer …` is not known here. `oncue key create NAME` makes one."
                )
            raise Refused(401, sentence, (b"www-authenticate", b"Bearer"))
        if key.source != Source.NATIVE:
            raise Refused(
                403,
                f"This API key is for the SDKs of {key.source}; make one for POST /v1/events: `oncue key create NAME`.",
            )
        if "events" not in key.scopes:
            raise Refused(403, "This API key may not send events: it lacks the scope `events`. Make one that has it.")
        return key

    async def _take_in(self, key: Key, entries: list[Item | str]) -> list[Verdict]:
        good = [one for one in entries if not isinstance(one, str)]
        taken = iter(await commit(self._doors.intake(key, good)) if good else ())
        return [Verdict(error=one) if isinstance(one, str) else next(taken) for one in entries]

    async def _answer(self, send: Send, batch: items.Batch, verdicts: list[Verdict]) -> int:
        rejected = [{"index": index, "error": one.error} for index, one in enumerate(verdicts) if one.error]
        duplicates = sum(one.duplicate for one in verdicts)
        accepted = len(verdicts) - len(rejected) - duplicates
        counted = self._counts.items
        counted["accepted"] += accepted
        counted["duplicate"] += duplicates
        counted["rejected"] += len(rejected)
        status = 202
        if (
            batch.is_single and rejected
        ):  # what we found wrong is the client's to mend; what the store could not do is ours
            status = 400 if isinstance(batch.entries[0], str) else 500
        content = {
            "accepted": accepted,
            "duplicates": duplicates,
            "rejected": rejected,
            "ids": [one.id for one in verdicts],
        }
        await answer_json(send, status, content)
        return status


def over_limit(key: Key, after: int) -> Refused:
    """The key sends more than it may; in `after` seconds it may send again."""
    sentence = f"This key sends more than {key.per_second:g} items a second; slow down."
    return Refused(429, sentence, (b"retry-after", str(after).encode()))


async def commit(work: Awaitable[T]) -> T:
    """The store's answer. When it cannot commit, 503 with a time to come back: never a 2xx for what is not on disk."""
    try:
        return await work
    except Overloaded as overloaded:
        raise Refused(503, str(overloaded), (b"retry-after", str(max(1, round(overloaded.after))).encode())) from None
    except StoreUnavailable:
        raise Refused(
            503, "oncue cannot store anything now; nothing of this request was kept. Try again.", (b"retry-after", b"5")
        ) from None
