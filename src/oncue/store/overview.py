"""The overview: is it healthy? Sums of hourly counters, and what is held, by its partial index: as fast with ten million messages as with ten.

A message is counted once for each thing that it came to, in the hour that it came to it: what was sent in one hour may be delivered in the next.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from oncue.core import clock
from oncue.store.hours import counted, hourly, hourly_by_label, last_hours
from oncue.store.rows import Row
from oncue.store.tally import BUCKETS, COMES_TO, LATENCY

TOTALS = (*COMES_TO, "opt_out", "opt_in")
"""What is totalled: submitted (accepted by the carrier), sent, delivered, undelivered, failed, rejected, suppressed, expired, opt_out, opt_in."""


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from a message's making to its acceptance, as upper bounds of the buckets they fall in. None: more than the last bucket."""

    count: int
    p50: int | None
    p99: int | None


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Hours from `since_hour` up to, without, `until_hour` (hours since the epoch)."""

    since_hour: int
    until_hour: int
    totals: dict[str, int]
    """By each word of `TOTALS`, and `events`."""
    hours: list[Row]
    """Every hour of the span, the earliest first: `at` (milliseconds) and each word of `TOTALS`."""
    rules: list[Row]
    """By rule: `label` and each word of `COMES_TO`; those of which most was submitted first."""
    senders: list[Row]
    countries: list[Row]
    errors: list[Row]
    """`adaptor`, `code`, `count`: the most frequent first."""
    reasons: list[Row]
    """Why messages were suppressed: `label` (a `Reason`, or `provider`), `count`."""
    latency: Latency
    latency_by_hour: dict[int, Latency]
    """By the hour's beginning in milliseconds; hours without a message are left out."""


def overview(since_hour: int, until_hour: int, *, most: int = 20) -> Overview:
    """Read it; `most` rows of each list."""
    names = [f"{word}{by}" for word in COMES_TO for by in ("", ".sender", ".country")]
    found = counted(since_hour, until_hour, [*names, "opt_out", "opt_in", "error", "suppressed.reason"])
    latencies = _latencies(since_hour, until_hour)
    return Overview(
        since_hour=since_hour,
        until_hour=until_hour,
        totals=_totals(found, since_hour, until_hour),
        hours=_hours(since_hour, until_hour),
        rules=_by(found, "", most),
        senders=_by(found, ".sender", most),
        countries=_by(found, ".country", most),
        errors=_errors(found, most),
        reasons=_most([row for row in found if row["name"] == "suppressed.reason"], most),
        latency=_percentiles(_added(latencies.values())),
        latency_by_hour={hour * clock.HOUR: _percentiles(counts) for hour, counts in latencies.items()},
    )


def _totals(found: list[Row], since_hour: int, until_hour: int) -> dict[str, int]:
    totals = dict.fromkeys(("events", *TOTALS), 0)
    for row in found:
        if row["name"] in totals:
            totals[row["name"]] += row["count"]
    totals["events"] = sum(row["count"] for row in hourly(since_hour, until_hour, ["event"]))
    return totals


def _hours(since_hour: int, until_hour: int) -> list[Row]:
    table: dict[int, Row] = {
        hour: {"at": hour * clock.HOUR, **dict.fromkeys(TOTALS, 0)} for hour in range(since_hour, until_hour)
    }
    for row in hourly(since_hour, until_hour, TOTALS):
        table[row["hour"]][row["name"]] = row["count"]
    return list(table.values())


def _by(found: list[Row], by: str, most: int) -> list[Row]:
    table: dict[str, Row] = {}
    for row in found:
        word, point, rest = row["name"].partition(".")
        if word in COMES_TO and point + rest == by:
            table.setdefault(row["label"], {"label": row["label"], **dict.fromkeys(COMES_TO, 0)})[word] += row["count"]
    return sorted(table.values(), key=lambda row: (-row["submitted"], row["label"]))[:most]


def _errors(found: list[Row], most: int) -> list[Row]:
    errors = []
    for row in _most([row for row in found if row["name"] == "error"], most):
        adaptor, _, code = row["label"].partition(" ")
        errors.append({"adaptor": adaptor, "code": code, "count": row["count"]})
    return errors


def _most(found: list[Row], most: int) -> list[Row]:
    return sorted(({"label": row["label"], "count": row["count"]} for row in found), key=lambda row: -row["count"])[
        :most
    ]


def _latencies(since_hour: int, until_hour: int) -> dict[int, dict[str, int]]:
    table: dict[int, dict[str, int]] = {}
    for row in hourly_by_label(since_hour, until_hour, LATENCY):
        table.setdefault(row["hour"], {})[row["label"]] = row["count"]
    return table


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for bucket, count in one.items():
            total[bucket] = total.get(bucket, 0) + count
    return total


def _percentiles(counts: dict[str, int]) -> Latency:
    total = sum(counts.values())
    if not total:
        return Latency(0, None, None)
    return Latency(total, _percentile(counts, total, 0.5), _percentile(counts, total, 0.99))


def _percentile(counts: dict[str, int], total: int, share: float) -> int | None:
    left = total * share
    for bucket, upper in BUCKETS.items():
        left -= counts.get(bucket, 0)
        if left <= 0:
            return upper
    return None


class RuleStats(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule did. `counts` has each word of `COMES_TO`, and `fired`, of seven days to the hour."""

    counts: dict[str, int]
    last_fired_at: int | None
    """The beginning of that hour, in milliseconds; None if it was not within `LAST_FIRED_WITHIN` days."""


LAST_FIRED_WITHIN = 30


def rule_stats() -> dict[str, RuleStats]:
    """By rule, for all that did anything: two statements, however many rules there are."""
    until = clock.now() // clock.HOUR + 1
    words = (*COMES_TO, "fired")
    counts: dict[str, dict[str, int]] = {}
    for row in counted(until - 7 * 24, until, words):
        counts.setdefault(row["label"], dict.fromkeys(words, 0))[row["name"]] = row["count"]
    fired = last_hours(until - LAST_FIRED_WITHIN * 24, until, "fired")
    return {
        rule: RuleStats(
            counts=counts.get(rule, dict.fromkeys(words, 0)),
            last_fired_at=fired[rule] * clock.HOUR if rule in fired else None,
        )
        for rule in sorted({*counts, *fired})
    }
