"""The figures of the overview, each with how it has changed against the same span before."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from oncue.core import clock
from oncue.store.overview import Latency, Overview

ALARMING = 90.0
"""Per cent delivered below which the figure is coloured."""
_FEW = 20
"""Final words below which a percentage says little."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; `href` leads to what it counts."""

    label: str
    value: str
    more: str
    tone: str = ""
    href: str = ""


def figures(now: Overview, before: Overview, since: str, than: str) -> list[Figure]:
    """Those of the overview, in order. `since` is how the messages page calls the span, `than` what it is compared with."""
    one, other = now.totals, before.totals
    failed, failed_before = one["failed"] + one["rejected"], other["failed"] + other["rejected"]
    return [
        Figure(
            label="Sent",
            value=f"{one['submitted']:,}",
            more=change(one["submitted"], other["submitted"], than),
            href=f"/messages?since={since}",
        ),
        _delivered(one, other, than),
        Figure(
            label="Undelivered",
            value=f"{one['undelivered']:,}",
            more=change(one["undelivered"], other["undelivered"], than),
            tone="warn" if one["undelivered"] else "",
            href=f"/messages?status=undelivered&since={since}",
        ),
        Figure(
            label="Failed",
            value=f"{failed:,}",
            more=change(failed, failed_before, than),
            tone="bad" if failed else "",
            href=f"/messages?status={'failed' if one['failed'] else 'rejected'}&since={since}",
        ),
        Figure(
            label="Opted out",
            value=f"{one['opt_out']:,}",
            more=change(one["opt_out"], other["opt_out"], than),
            href="/opt-outs",
        ),
        _latency(now.latency),
    ]


def share(counts: Mapping[str, int]) -> str:
    """`97.9%`: delivered, of those of which the carrier said what became of them."""
    known = _final(counts)
    return f"{counts['delivered'] / known:.1%}" if known else "–"


def change(now: int, before: int, than: str) -> str:
    """`12% more than the 24 hours before`."""
    if not now and not before:
        return "none before either"
    if now == before:
        return f"as in {than}"
    if not before:
        return f"none in {than}"
    percent = abs(now - before) / before
    much = f"{percent:.0%}" if percent < 10 else f"{abs(now - before):,}"
    return f"{much} {'more' if now > before else 'fewer'} than {than}"


def _delivered(one: Mapping[str, int], other: Mapping[str, int], than: str) -> Figure:
    known, known_before = _final(one), _final(other)
    if not known:
        return Figure(label="Delivered", value="–", more="the carrier has said nothing final yet")
    percent = one["delivered"] / known * 100
    more = f"of {known:,} with a final word"
    if known_before:
        points = percent - other["delivered"] / known_before * 100
        more = f"{points:+.1f} points against {than}" if abs(points) >= 0.05 else f"as in {than}"
    tone = "good" if percent >= ALARMING else "warn" if known >= _FEW else ""
    return Figure(label="Delivered", value=f"{percent:.1f}%", more=more, tone=tone)


def _final(counts: Mapping[str, int]) -> int:
    return counts["delivered"] + counts["undelivered"] + counts["failed"]


def _latency(found: Latency) -> Figure:
    label = "Event to carrier"
    if not found.count:
        return Figure(label=label, value="–", more="nothing was sent")
    return Figure(
        label=label, value=_bound(found.p50), more=f"or less for half of them; {_bound(found.p99)} for 99 of 100"
    )


def _bound(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "> 5 min"
    if milliseconds < clock.SECOND:
        return f"{milliseconds} ms"
    if milliseconds < clock.MINUTE:
        return f"{milliseconds // clock.SECOND} s"
    return f"{milliseconds // clock.MINUTE} min"
