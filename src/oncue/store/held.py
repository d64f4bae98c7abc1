"""What is held, and why: messages that wait, told apart by what they wait for, and those of which nobody knows whether they were accepted."""

from __future__ import annotations

import msgspec

from oncue.core import clock
from oncue.core.reasons import Reason
from oncue.store.rows import Row, rows

MOST_COUNTED = 10_000
"""Messages waiting that are counted; beyond it the numbers are of a part."""

INACTIVE, PAUSED, QUIET, RETRY, PACING = "inactive", "paused", "quiet_hours", "retry", "pacing"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one adaptor that wait for one thing: `inactive` (the adaptor is), `paused` (the provider refuses a part of it),
    `quiet_hours`, `retry` (after a failure on the way) or `pacing` (their turn)."""

    adaptor: str
    why: str
    what: str = ""
    """Of a pause: `account`, or the sender or country that is refused."""
    sentence: str = ""
    """The provider's words, or the adaptor's problem."""
    count: int
    next_at: int
    """When the first of them may go, in milliseconds."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is held. With `is_more`, more wait than were counted."""

    held: list[Held]
    waiting: int
    is_more: bool
    submitting: int
    unknown: int


def holding() -> Holding:
    """Read it: three statements on partial indexes and small tables."""
    now = clock.now()
    groups = rows(_WAITING, [now, f"{Reason.QUIET_HOURS}%", MOST_COUNTED + 1])
    adaptors = {row["name"]: row for row in rows("SELECT name, state, problem FROM store_adaptor", [])}
    pauses = rows("SELECT adaptor, kind, key, reason, until_at FROM store_pause WHERE until_at > %s", [now])
    table: dict[tuple[str, str, str], Held] = {}
    for group in groups:
        one = _why(group, adaptors.get(group["adaptor"]), pauses)
        known = table.get((one.adaptor, one.why, one.what))
        if known:
            one = msgspec.structs.replace(known, count=known.count + one.count, next_at=min(known.next_at, one.next_at))
        table[one.adaptor, one.why, one.what] = one
    waiting = sum(group["count"] for group in groups)
    doubt = {row["state"]: row["count"] for row in rows(_IN_DOUBT, [])}
    return Holding(
        held=sorted(table.values(), key=lambda one: (-one.count, one.adaptor, one.why, one.what)),
        waiting=min(waiting, MOST_COUNTED),
        is_more=waiting > MOST_COUNTED,
        submitting=doubt.get("submitting", 0),
        unknown=doubt.get("unknown", 0),
    )


_WAITING = (
    "SELECT adaptor, sender, country, later, held, COUNT(*) AS count, MIN(due_at) AS next_at FROM ("
    "SELECT adaptor, sender, country, due_at, CASE WHEN due_at > %s THEN 1 ELSE 0 END AS later, "
    "CASE WHEN reason = '' THEN '' WHEN reason LIKE %s THEN 'quiet_hours' ELSE 'retry' END AS held "
    "FROM store_message WHERE state = 'waiting' LIMIT %s) AS some GROUP BY adaptor, sender, country, later, held"
)
_IN_DOUBT = "SELECT state, COUNT(*) AS count FROM store_message WHERE state IN ('submitting', 'unknown') GROUP BY state"


def _why(group: Row, adaptor: Row | None, pauses: list[Row]) -> Held:
    why, what, sentence = PACING, "", ""
    pause = _pause(group, pauses)
    if adaptor is None or adaptor["state"] != "active":
        why, sentence = INACTIVE, adaptor["problem"] if adaptor else ""
    elif group["held"] == QUIET and group["later"]:
        why = QUIET
    elif pause:
        why, what, sentence = PAUSED, pause["key"] or pause["kind"], pause["reason"]
    elif group["held"] and group["later"]:
        why = RETRY
    return Held(
        adaptor=group["adaptor"], why=why, what=what, sentence=sentence, count=group["count"], next_at=group["next_at"]
    )


def _pause(group: Row, pauses: list[Row]) -> Row | None:
    parts = {("account", ""), ("sender", group["sender"]), ("country", group["country"])}
    found = [one for one in pauses if one["adaptor"] == group["adaptor"] and (one["kind"], one["key"]) in parts]
    return max(found, key=lambda one: one["until_at"], default=None)
