"""Lines: the jobs that wait for the writer, a line for each key and each kind, served in rotation, so that none starves another.

Not safe by itself between threads: the writer touches it while it holds its lock.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

import msgspec

from oncue.store.jobs import Job

TURN_ITEMS = 100
"""Items that one line may put into a group before the others have their turn. What calls came to goes first: it makes room."""

MOST_WAITING = 20_000
"""Items queued at most; beyond it the doors answer 503 with a time to come back."""

MOST_IN_LINE = MOST_WAITING // 2
"""Items in one line at most: whoever sends too much is refused while there is still room for the others."""

RESULTS = "results"


class Pending(msgspec.Struct):
    """A job and who waits for its answer."""

    job: Job
    future: asyncio.Future[Any]


class Lines:
    """What waits."""

    def __init__(self) -> None:
        self.waiting = 0
        """Items."""
        self._lines: dict[str, deque[Pending]] = {}
        self._sizes: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def has_room(self, line: str) -> bool:
        """Whether one more job may wait there. Results of calls already made are taken whatever the load."""
        return line == RESULTS or (self.waiting < MOST_WAITING and self._sizes[line] < MOST_IN_LINE)

    def add(self, pending: Pending) -> None:
        """At the end of its line."""
        self._lines.setdefault(pending.job.line, deque()).append(pending)
        self.waiting += pending.job.size
        self._sizes[pending.job.line] += pending.job.size

    def group(self, most: int, most_results: int) -> list[Pending]:
        """The next jobs, about so many items of them, in rotation; results first."""
        group: list[Pending] = []
        size = self._take(RESULTS, group, most_results)
        while self._lines and size < most:
            size += self._take(next(iter(self._lines)), group, min(TURN_ITEMS, most - size))
        self.waiting -= size
        return group

    def all(self) -> list[Pending]:
        """Everything; nothing waits any more."""
        left = [pending for line in self._lines.values() for pending in line]
        self._lines.clear()
        self._sizes.clear()
        self.waiting = 0
        return left

    def _take(self, name: str, group: list[Pending], most: int) -> int:
        """Move jobs of one line into the group, about `most` items; the line goes to the end of the rotation."""
        line = self._lines.pop(name, None)
        size = 0
        while line and size < most:
            group.append(line.popleft())
            size += group[-1].job.size
        if line:
            self._lines[name] = line
            self._sizes[name] -= size
        else:
            del self._sizes[name]
        return size


def resolve(group: Iterable[Pending], answers: Iterable[Any]) -> None:
    """Tell who waits; an answer may be an exception. On the event loop."""
    for pending, answer in zip(group, answers, strict=True):
        if pending.future.done():  # the caller has gone; what it asked for is done all the same
            continue
        if isinstance(answer, Exception):
            pending.future.set_exception(answer)
        else:
            pending.future.set_result(answer)
