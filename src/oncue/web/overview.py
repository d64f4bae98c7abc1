"""The screen Overview: is it healthy? Read from hourly counters, so it is as fast with ten million messages as with ten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode

from oncue.core import clock
from oncue.store import alerts
from oncue.store.config import Snapshot
from oncue.store.overview import Overview
from oncue.store.overview import overview as read_overview
from oncue.web.access import route
from oncue.web.backstage import behind
from oncue.web.charts import Chart, Series, Slot, stacked
from oncue.web.figures import figures, share
from oncue.web.first_steps import first_steps
from oncue.web.held_up import held_up
from oncue.web.telling import label_of, meaning

MOST = 8
"""Rows of a table."""


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A span that may be looked at."""

    key: str
    label: str
    hours: int
    unit: str
    before: str
    """What it is compared with."""

    @property
    def sentence(self) -> str:
        """Under the heading."""
        return (
            f"The last {self.hours} hours."
            if self.unit == "hour"
            else f"The last {self.hours // 24} days, today among them."
        )


RANGES = (
    Range(key="24h", label="24 hours", hours=24, unit="hour", before="the 24 hours before"),
    Range(key="7d", label="7 days", hours=7 * 24, unit="day", before="the 7 days before"),
    Range(key="30d", label="30 days", hours=30 * 24, unit="day", before="the 30 days before"),
)

SERIES = (
    Series("Delivered", "good"),
    Series("Undelivered", "warn"),
    Series("Failed", "bad"),
    Series("Not confirmed", "wait"),
)


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, sender or country."""

    label: str
    href: str = ""
    sent: int
    delivered: str
    bad: int


def index(request: HttpRequest) -> HttpResponseBase:
    """The page; for htmx only what changes."""
    wanted = request.GET.get("range", "")
    chosen = next((one for one in RANGES if one.key == wanted), RANGES[0])
    template = "_overview" if request.headers.get("HX-Request") else "overview"
    return render(request, f"oncue/{template}.html", {"ranges": RANGES, "range": chosen, **_context(chosen)})


def _context(chosen: Range) -> dict[str, Any]:
    snapshot = behind().snapshot
    until = clock.now() // clock.HOUR + 1
    since = _beginning(chosen, until)
    now = read_overview(since, until, most=MOST)
    before = read_overview(since - chosen.hours, until - chosen.hours, most=0)
    return {
        "alerts": alerts.open_ones(),
        "steps": first_steps(snapshot),
        "figures": figures(now, before, chosen.key, chosen.before),
        "chart": _chart(chosen, now),
        "held": held_up(snapshot, {one.adaptor for one in behind().writer.resting()}),
        "errors": _errors(snapshot, now, chosen.key),
        "tables": [
            _table("rules", "By rule", "Rule", now.rules, "rule", chosen.key),
            _table("countries", "By country", "Country", now.countries, "country", chosen.key),
            _table("senders", "By sender", "Sender", now.senders, "from", chosen.key),
        ],
    }


def _beginning(chosen: Range, until: int) -> int:
    """The first hour: so many hours ago, or the first of the day that was so many days ago, where the member is."""
    if chosen.unit == "hour":
        return until - chosen.hours
    today = _local(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=chosen.hours // 24 - 1)
    return int(first.timestamp()) // 3_600


def _chart(chosen: Range, now: Overview) -> Chart:
    names: dict[str, str] = {}
    sums: dict[str, list[int]] = {}
    for hour in now.hours:
        moment = _local(hour["at"])
        name = f"{moment:%-d %b, %H:00}" if chosen.unit == "hour" else f"{moment:%a %-d %b}"
        names.setdefault(name, f"{moment:%H:00}" if chosen.unit == "hour" else f"{moment:%-d %b}")
        known = sums.setdefault(name, [0, 0, 0, 0])
        failed = hour["failed"] + hour["rejected"]
        for index, value in enumerate((hour["delivered"], hour["undelivered"], failed, hour["submitted"])):
            known[index] += value
        known[3] -= hour["delivered"] + hour["undelivered"] + hour["failed"]
    # What was accepted in one hour may be delivered in the next, which leaves that one with less than nothing on its way.
    slots = [Slot(name, names[name], tuple(max(0, value) for value in values)) for name, values in sums.items()]
    return stacked(f"Messages by {chosen.unit}", SERIES, slots)


def _errors(snapshot: Snapshot, now: Overview, since: str) -> list[dict[str, Any]]:
    return [
        {
            "adaptor": label_of(snapshot, row["adaptor"]),
            "code": row["code"],
            "count": row["count"],
            "meaning": meaning(snapshot, row["adaptor"], row["code"])
            or "Look at one of the messages for what was said.",
            "href": f"/messages?{urlencode({'adaptor': row['adaptor'], 'error': row['code'], 'since': since})}",
        }
        for row in now.errors
    ]


def _table(
    key: str, title: str, column: str, found: Sequence[dict[str, Any]], filtered_by: str, since: str
) -> dict[str, Any]:
    rows = [
        TableRow(
            label=row["label"] or "sent by hand",
            href=f"/messages?{urlencode({filtered_by: row['label'], 'since': since})}" if row["label"] else "",
            sent=row["submitted"],
            delivered=share(row),
            bad=row["undelivered"] + row["failed"] + row["rejected"],
        )
        for row in found
    ]
    return {"key": key, "title": title, "column": column, "rows": rows}


def _local(at: int) -> datetime:
    return timezone.localtime(datetime.fromtimestamp(at / 1000, UTC))


ROUTES = [route("", index, "overview", see="viewer")]
