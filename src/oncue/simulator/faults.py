"""The dial for faults: what goes wrong, for which number, how often."""

from __future__ import annotations

import random
from itertools import count

import msgspec

KINDS = {
    "429": "too many requests; not processed",
    "500_before": "a 500, and nothing was accepted",
    "500_after": "a 500, though the message was accepted",
    "503": "not available; nothing was accepted",
    "html_502": "an HTML page from the edge; nothing was accepted",
    "drop_before": "the connection drops before anything is accepted",
    "drop_after": "the connection drops after the message was accepted",
    "hang": "no answer for `seconds`; the message was accepted",
    "slow": "the answer takes `seconds`",
    "auth": "the credentials are refused",
    "refuse": "a 400 with `code`",
    "undelivered": "the final status is undelivered, with `code`",
    "failed": "the final status is failed, with `code`",
    "stuck": "nothing follows the first status",
    "callback_late": "each callback waits `seconds`",
    "callback_lost": "callbacks are not made",
    "callback_repeat": "each callback is made twice",
    "callback_reorder": "callbacks come in reverse order",
    "callback_early": "callbacks come before the answer to the POST",
}


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault. `to` limits it to a recipient, `times` to the next so many (-1: always), `rate` to a share."""

    kind: str
    id: int = 0
    to: str = ""
    times: int = -1
    rate: float = 1.0
    seconds: float = 0.0
    code: int = 0


class Faults:
    """Those in force."""

    def __init__(self) -> None:
        self.list: list[Fault] = []
        self._ids = count(1)

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force. Raises ValueError for a kind that there is not."""
        if fault.kind not in KINDS:
            raise ValueError(f"There is no fault {fault.kind!r}; there are: {', '.join(KINDS)}.")
        fault.id = next(self._ids)
        self.list.append(fault)
        return fault

    def draw(self, to: str, *kinds: str) -> Fault | None:
        """The first fault of these kinds that strikes now; it is used up by one."""
        for fault in self.list:
            if (
                fault.kind in kinds
                and fault.to in ("", to)
                and fault.times
                and (fault.rate >= 1 or random.random() < fault.rate)
            ):
                fault.times -= fault.times > 0
                return fault
        return None
