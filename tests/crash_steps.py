"""The named steps at which a process can be made to die: between any two of them it is at one of its hand-offs.

A forked oncue (see forked.py) is armed with one: at the n-th time it comes there it kills itself with SIGKILL, so that nothing is tidied up.
"""

from __future__ import annotations

import inspect
import os
import signal
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

BEFORE, AFTER = "before", "after"

STEPS: dict[str, tuple[str, str, str, int]] = {
    "an earlier run's leftovers, before they are settled": ("oncue.store.boot", "settle", BEFORE, 1),
    "an earlier run's leftovers, settled": ("oncue.store.boot", "settle", AFTER, 1),
    "everything written, not yet committed": ("oncue.store.unit", "Unit.flush", AFTER, 15),
    "committed, nobody told": ("oncue.store.lanes", "Lanes.commit", BEFORE, 15),
    "an event committed, not yet answered": ("oncue.store.doors", "Doors.intake", AFTER, 15),
    "claimed, not yet with the sender": ("oncue.workers.sender", "Sender.take", BEFORE, 15),
    "with the sender, before the call": ("oncue.workers.sender", "Sender._attempt", BEFORE, 15),
    "the call under way": ("oncue.workers.http", "_mark_written", AFTER, 15),
    "answered, not yet recorded": ("oncue.workers.sender", "Sender._record", BEFORE, 15),
    "the result recorded, not yet committed": ("oncue.store.results", "take", AFTER, 15),
    "the result committed": ("oncue.workers.sender", "Sender._record", AFTER, 15),
    "a callback verified, not yet committed": ("oncue.store.doors", "Doors.reports", BEFORE, 15),
    "a callback committed, not yet answered": ("oncue.store.doors", "Doors.reports", AFTER, 15),
    "the carrier's list read, nothing settled": ("oncue.store.doubt", "Settle.take", BEFORE, 2),
    "settled by the list, not yet committed": ("oncue.store.doubt", "Settle.take", AFTER, 2),
    "the log about to be moved into the database": ("oncue.store.database", "checkpoint", BEFORE, 1),
}  # fmt: skip
"""Name → (module, function, when, how often one run of a process may come there at most before it dies)."""


def arm(step: str, time: int) -> None:
    """Die at this step, the `time`-th time it is reached (from 1)."""
    module, path, when, _ = STEPS[step]
    holder: Any = import_module(module)
    *within, name = path.split(".")
    for one in within:
        holder = getattr(holder, one)
    setattr(holder, name, _dying(getattr(holder, name), when, time))


def _dying(function: Callable[..., Any], when: str, time: int) -> Callable[..., Any]:
    left = time

    def reached(here: str) -> None:
        nonlocal left
        if here == when:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*given: Any, **named: Any) -> Any:
            reached(BEFORE)
            answer = await function(*given, **named)
            reached(AFTER)
            return answer

        return awaited

    @wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        reached(BEFORE)
        answer = function(*given, **named)
        reached(AFTER)
        return answer

    return called
