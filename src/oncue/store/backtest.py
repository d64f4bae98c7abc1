"""Backtest: what a rule would have done about the events of the last days, with the users' properties as they are now.

Reads pages by key, each in a statement of its own, so that no reader stands in the writer's way; and no more than it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from django.db import connection

from oncue.core import clock
from oncue.core.event import Event, User
from oncue.core.reasons import SENTENCES, Reason
from oncue.rules.compile import Compiled
from oncue.rules.engine import decide
from oncue.rules.spec import Decision, RuleState
from oncue.store.config import Snapshot
from oncue.store.foresee import DOES, REFUSED, SENDS, WAITS, Foreseen, foresee, imagined
from oncue.store.outbox import Plan
from oncue.store.rows import Row, rows

LOOKED_AT = 20_000
"""Newest events that are looked at."""
EVALUATED = 2_000
"""Events of the rule's triggers that are evaluated."""
WITHIN = 5.0
"""Seconds."""
SAMPLES = 8
_WINDOW = 2_000
_PAGE = 200


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One event on which the rule would have acted, or would have but for a reason."""

    event: str
    user: str
    name: str
    at: int
    outcome: str
    sentence: str = ""
    text: str = ""
    recipient: str = ""


class Backtest(msgspec.Struct, kw_only=True):
    """What was looked at and what would have been. `complete` False says that there was more than may be looked at: `why` says what ended it."""

    since: int
    looked_at: int = 0
    evaluated: int = 0
    matched: int = 0
    complete: bool = True
    why: str = ""
    until: int = 0
    """The oldest event looked at."""
    not_matched: dict[str, int] = {}
    """By reason: a condition as written, or the reason's sentence."""
    sends: int = 0
    waits: int = 0
    does: int = 0
    refused: dict[str, int] = {}
    """By the reason's sentence."""
    segments: int = 0
    people: int = 0
    """Who would have been sent something."""
    samples: list[Sample] = []
    took_for: float = 0.0


def backtest(rule: Compiled, snapshot: Snapshot, *, since: int, within: float = WITHIN) -> Backtest:
    """Replay the events of the rule's triggers since then, newest first."""
    found = Backtest(since=since)
    began = clock.elapsed()
    tallies = _Tallies()
    spec = msgspec.structs.replace(rule.spec, state=RuleState.ON)
    rule = msgspec.structs.replace(rule, spec=spec)
    for page in _pages(tuple(dict.fromkeys(spec.triggers)), found):
        if clock.elapsed() - began > within:
            found.complete, found.why = False, f"It was ended after {within:.0f} seconds."
            break
        _replay(rule, snapshot, page, found, tallies)
        if found.evaluated >= EVALUATED:
            found.complete, found.why = False, f"At most {EVALUATED:,} events are evaluated."
            break
    found.not_matched = dict(tallies.not_matched.most_common(10))
    found.refused = dict(tallies.refused.most_common())
    found.people = len(tallies.people)
    found.took_for = clock.elapsed() - began
    return found


class _Tallies:
    def __init__(self) -> None:
        self.not_matched: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.people: set[str] = set()


def _pages(names: Sequence[str], found: Backtest) -> Iterator[list[Row]]:
    """The newest events of those names, a page at a time, out of a bounded number of rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM store_event")
        top = int(cursor.fetchone()[0])
    floor = max(top - LOOKED_AT, 0)
    high = top
    while high > floor:
        low = max(high - _WINDOW, floor)
        oldest, count = _span(low, high, found.since)
        found.looked_at += count
        found.until = oldest or found.until
        yield from _matching(names, low, high, found.since)
        if count < high - low and oldest is not None and _is_over(low, high, found.since):
            return
        high = low
    if floor and found.until > found.since:
        found.complete, found.why = False, f"At most the newest {LOOKED_AT:,} events are looked at."


def _span(low: int, high: int, since: int) -> tuple[int | None, int]:
    sql = "SELECT MIN(received_at) AS oldest, COUNT(*) AS count FROM store_event WHERE seq > %s AND seq <= %s AND received_at >= %s"
    (row,) = rows(sql, [low, high, since])
    return row["oldest"], int(row["count"])


def _is_over(low: int, high: int, since: int) -> bool:
    """Whether the window reaches back past the time that is asked about."""
    sql = "SELECT 1 AS one FROM store_event WHERE seq > %s AND seq <= %s AND received_at < %s LIMIT 1"
    return bool(rows(sql, [low, high, since]))


def _matching(names: Sequence[str], low: int, high: int, since: int) -> Iterator[list[Row]]:
    marks = ", ".join(["%s"] * len(names))
    sql = (
        "SELECT seq, id, user_id, name, properties, timestamp, source, cause, root, depth FROM store_event "
        f"WHERE seq > %s AND seq <= %s AND received_at >= %s AND name IN ({marks}) ORDER BY seq DESC LIMIT %s"
    )
    while page := rows(sql, [low, high, since, *names, _PAGE]):
        yield page
        if len(page) < _PAGE:
            return
        high = page[-1]["seq"] - 1


def _replay(rule: Compiled, snapshot: Snapshot, page: list[Row], found: Backtest, tallies: _Tallies) -> None:
    unit = imagined(snapshot, rule.spec, clock.now(), caps=False)
    unit.load_users({row["user_id"] for row in page if row["user_id"]})
    plans: list[Plan] = []
    for row in page[: EVALUATED - found.evaluated]:
        event = _event(row)
        user = unit.users.get(event.user) or User(id=event.user, properties={})
        decision = decide(rule, event, user)
        found.evaluated += 1
        if not decision.acted:
            tallies.not_matched[_why_not(decision)] += 1
            continue
        found.matched += 1
        plans += [Plan(event=event, user=user, rule=rule.spec, planned=one) for one in decision.planned]
    for plan, one in zip(plans, foresee(unit, plans, then=True), strict=True):
        _count(plan, one, found, tallies)


def _event(row: Row) -> Event:
    return Event(
        id=row["id"], user=row["user_id"], name=row["name"], properties=row["properties"] or {}, timestamp=row["timestamp"],
        source=row["source"], cause=row["cause"], root=row["root"], depth=row["depth"],
    )  # fmt: skip


def _why_not(decision: Decision) -> str:
    failed = next((seen for seen in decision.conditions if not seen.held), None)
    if failed is None:
        return decision.sentence or SENTENCES[decision.reason]
    what = {"any": "None of several conditions held", "not": "A condition held that must not"}.get(failed.condition)
    return what or f"{failed.condition} {'(there was no value)' if failed.missing else 'did not hold'}"


def _count(plan: Plan, one: Foreseen, found: Backtest, tallies: _Tallies) -> None:
    if one.outcome == REFUSED:
        tallies.refused[SENTENCES[Reason(one.reason)] if one.reason in set(Reason) else one.sentence] += 1
    elif one.outcome == DOES:
        found.does += 1
    else:
        found.sends += one.outcome == SENDS
        found.waits += one.outcome == WAITS
        found.segments += one.preview.segments if one.preview else 0
        tallies.people.add(plan.user.id)
    if len(found.samples) < SAMPLES:
        found.samples.append(
            Sample(
                event=plan.event.id,
                user=plan.user.id,
                name=plan.event.name,
                at=plan.event.timestamp,
                outcome=one.outcome,
                sentence=one.sentence,
                text=one.preview.text if one.preview else "",
                recipient=one.recipient,
            )
        )
