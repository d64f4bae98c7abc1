"""How sure oncue is of what became of an adaptor's messages: what is in doubt, what was settled and healed today, and how far asking lags."""

from __future__ import annotations

import msgspec

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.store import hours
from oncue.web.backstage import behind

_COUNTED = ("found", "healed", "sent_again")


class Certainty(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of the last 24 hours, but for `in_doubt`, which is now. `lag` is in minutes."""

    in_doubt: int
    found: int
    sent_again: int
    healed: int
    lag: int


def look(adaptor: Adaptor) -> Certainty | None:
    """None for an adaptor whose provider cannot be asked."""
    if not (adaptor.find and adaptor.fetch):
        return None
    hour = clock.now() // clock.HOUR
    sums = {
        row["name"]: int(row["count"])
        for row in hours.counted(hour - 23, hour + 1, _COUNTED)
        if row["label"] == adaptor.name
    }
    gauges = behind().writer.gauges
    return Certainty(
        in_doubt=int(gauges.get(("in_doubt_messages", adaptor.name), 0)),
        lag=int(gauges.get(("reconciler_behind_seconds", adaptor.name), 0) // 60),
        **{name: sums.get(name, 0) for name in _COUNTED},
    )
