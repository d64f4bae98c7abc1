"""What the doors for SDKs have in common. The apps that hold an SDK are out there and cannot be asked to mend what they send, so these doors are
lenient about form; but an item that cannot be kept whole is not kept at all.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from oncue.core import clock
from oncue.core.items import EventItem, Item, JoinItem, Key, Source, Verdict
from oncue.core.keeping import BAD_TEXT, CONSENT_EVENTS, unfit_event_name, unfit_text, unfit_value
from oncue.core.message import Category
from oncue.ingest import items
from oncue.ingest.answers import Refused, Scope, Send, header
from oncue.ingest.counts import Counts
from oncue.ingest.doors import Doors
from oncue.ingest.limits import Limits
from oncue.ingest.native import commit, over_limit

log = logging.getLogger("oncue.ingest")

MOST_MESSAGES = 5_000
"""In one request: more than any SDK sends, and no more than are read in a moment."""

_AT_A_TIME = 200

Entry = Sequence[Item] | str
"""What one message of an SDK comes to: items, of which there may be none; or a sentence that says what is wrong with it."""


class Taken(msgspec.Struct, frozen=True):
    """What became of a request: (index, sentence) of each message that was refused; and whether a fault of ours was the reason of any."""

    rejected: list[tuple[int, str]]
    is_ours: bool

    def check(self) -> None:
        """For a request of one message. Raises `Refused` if it was."""
        if self.rejected:
            raise Refused(500 if self.is_ours else 400, self.rejected[0][1])


class Intake:
    """Entries of a request, taken in."""

    def __init__(self, doors: Doors, counts: Counts, limits: Limits) -> None:
        self._doors = doors
        self._counts = counts
        self._limits = limits

    def key(self, token: str, source: Source) -> Key | None:
        """The key with that value, if it opens the doors of this source."""
        key = self._doors.key(token) if token and token.isascii() else None
        return key if key and key.source == source and "events" in key.scopes else None

    async def take(self, key: Key, entries: Sequence[Entry]) -> Taken:
        """In order, a thousand items in a transaction. Raises `Refused`."""
        self.charge(key, sum(isinstance(entry, str) or bool(entry) for entry in entries))
        flat = [(index, item) for index, entry in enumerate(entries) if not isinstance(entry, str) for item in entry]
        rejected = {index: entry for index, entry in enumerate(entries) if isinstance(entry, str)}
        duplicates: set[int] = set()
        is_ours = False
        for start in range(0, len(flat), items.MOST_ITEMS):
            part = flat[start : start + items.MOST_ITEMS]
            verdicts = await self._commit(key, [item for _, item in part], start)
            for (index, item), verdict in zip(part, verdicts, strict=True):
                is_beside = (
                    isinstance(item, JoinItem) and len(entries[index]) > 1
                )  # the rest of the message stands without it
                if verdict.error and not is_beside:
                    rejected[index] = verdict.error
                    is_ours = is_ours or verdict.is_ours
                elif verdict.duplicate and isinstance(item, EventItem):
                    duplicates.add(index)
        self._count(key, len(entries), duplicates, rejected)
        return Taken(sorted(rejected.items()), is_ours)

    def charge(self, key: Key, messages: int) -> None:
        """Count what comes against what the key may send, a thousand at most: one request must not keep all of an app's phones out for hours.
        Raises `Refused`."""
        if after := self._limits.take(key, min(messages, items.MOST_ITEMS)):
            raise over_limit(key, after)

    async def _commit(self, key: Key, part: list[Item], before: int) -> list[Verdict]:
        try:
            return await commit(self._doors.intake(key, part))
        except Refused as refused:
            if not before:
                raise
            sentence = f"The first {before:,} items were kept, the others were not; send it all again: what has an id counts once."
            raise Refused(refused.status, sentence, *refused.headers) from None

    def _count(self, key: Key, all_of_them: int, duplicates: set[int], rejected: dict[int, str]) -> None:
        counted = self._counts.items
        counted["rejected"] += len(rejected)
        counted["duplicate"] += len(duplicates)
        counted["accepted"] += all_of_them - len(rejected) - len(duplicates)
        if rejected:  # an SDK shows nobody what it is answered
            index, sentence = next(iter(rejected.items()))
            log.warning(
                "%d of %d messages with the key %s were refused; message %d: %s",
                len(rejected), all_of_them, key.name, index, sentence,
            )  # fmt: skip


async def in_turns(entries: Iterable[Entry]) -> list[Entry]:
    """All of them, read a few hundred at a time: meanwhile others are answered."""
    found = []
    for entry in entries:
        found.append(entry)
        if len(found) % _AT_A_TIME == 0:
            await asyncio.sleep(0)
    return found


def decoded(body: bytes) -> Any:
    """JSON, as lenient as the clients that make it: a number that is none (NaN) is the fault of one message, not of its neighbours."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        said = "it nests too deep" if isinstance(error, RecursionError) else str(error)
        raise Refused(400, f"The body is not JSON that can be read: {said}.") from None


def properties(given: Any, what: str) -> dict[str, Any] | str:
    """A map as properties, or what is wrong with it. A name that begins with $ is kept without it: $ stands for an event's own fields."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        return f"{what} must be an object."
    if [name for name in given if name[:1] == "$"]:
        given = {name: value for name, value in given.items() if not name.startswith("$")} | {
            _plain(name, given): value for name, value in given.items() if name.startswith("$")
        }
    return unfit_value(given, what) or given


def _plain(name: str, given: dict[str, Any]) -> str:
    plain = name.lstrip("$") or "_"
    while plain in given:
        plain = f"_{plain}"
    return plain


def user_id(given: Any) -> str:
    """An id as text: some give a number. Empty if it is none."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return given if isinstance(given, str) else ""


def unfit_user(user: str) -> str:
    """Why this cannot be a user's id."""
    return unfit_text(user, "The user's id")


def unfit_event(name: Any, properties: dict[str, Any], reserved: tuple[str, ...]) -> str:
    """Why this is no event. An opt-out of a category that there is not is one of all, but what is agreed to must be named."""
    if not isinstance(name, str):
        return "The event has no name."
    if name == CONSENT_EVENTS[0] and properties.get("category", Category.PROMOTIONAL) not in list(Category):
        return "category must be transactional or promotional."
    return unfit_event_name(name, "The event's name", reserved)


def own_id(given: Any) -> str:
    """A client's own id of a message, which may be a number; empty if it is none. Only a digest of it is kept."""
    if isinstance(given, str) and given:
        return json.dumps(given) if BAD_TEXT.search(given) else given
    return user_id(given)


def happened(given: Iterable[Any], now: int) -> int | str:
    """The first of these that is a time (ISO 8601, or milliseconds), else now; a sentence if it is too long ago. A device whose clock is far
    ahead is not believed."""
    for one in given:
        at = _moment(one)
        if at is None:
            continue
        if at < now - items.PAST:
            return "It happened more than 30 days ago."
        return at if at <= now + items.FUTURE else now
    return now


def _moment(given: Any) -> int | None:
    if isinstance(given, str):
        if given.isascii() and given.isdigit() and 9 <= len(given) <= 16:
            return _moment(int(given))
        try:
            return clock.parse_iso(given)
        except (ValueError, OverflowError):
            return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not _LEAST_SECONDS <= given < 2**53:
        return None
    return int(given * 1000 if given < _LEAST_MILLISECONDS else given)


_LEAST_SECONDS, _LEAST_MILLISECONDS = 10**8, 10**10
"""A number from 1973 to 2286 in seconds, and from 1970 on in milliseconds, is no other time."""


def allowing(origins: tuple[str, ...], scope: Scope, send: Send) -> Send:
    """`send` for pages of other origins too: what is sent here is authenticated by a key, never by a cookie. `*` allows every origin."""
    origin = header(scope, b"origin")
    allowed = b"*" if "*" in origins else origin if origin.decode("latin-1") in origins else b""
    extra = [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", b"ETag")] if allowed else []
    if "*" not in origins:
        extra.append((b"vary", b"Origin"))

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return sending


PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"Content-Type, Authorization, AnonymousId, X-Retry-Count"),
    (b"access-control-max-age", b"86400"),
)
"""What a browser asks before it sends something to another origin."""
