"""What is known of an event's name: how often it comes, what it carries, which rules it triggers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from oncue.core import clock
from oncue.core.adaptor import reserved
from oncue.core.fields import as_text
from oncue.store import examples, volumes
from oncue.store.config import Snapshot
from oncue.web.backstage import behind
from oncue.web.charts import Chart, Series, Slot, stacked

LONGEST = 80
"""Characters of an example."""


class Triggered(msgspec.Struct, frozen=True):
    """A rule that an event of this name triggers: its key, name and state."""

    key: str
    name: str
    state: str


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the events of one name."""

    name: str
    day: int
    week: int
    over: str
    chart: Chart
    properties: list[tuple[str, str]]
    rules: list[Triggered]
    sentence: str
    """What the event means, if it is one that an adaptor raises."""
    is_ours: bool
    """oncue or an adaptor raises it, so nobody sends one by hand."""


def names(request: HttpRequest) -> HttpResponseBase:
    """The page of all names."""
    snapshot = behind().snapshot
    rows = [{**row, "rules": rules_triggered(snapshot, row["name"])} for row in volumes.by_name()]
    return render(request, "oncue/events_names.html", {"names": rows})


def panel(name: str, over: str) -> Panel:
    """What is known of one name. `over` is `7d`, or a day."""
    snapshot = behind().snapshot
    week = volumes.hourly(name, volumes.WEEK)
    return Panel(
        name=name,
        day=sum(week[-volumes.DAY :]),
        week=sum(week),
        over="7d" if over == "7d" else "24h",
        chart=_chart(name, week, 6) if over == "7d" else _chart(name, week[-volumes.DAY :], 1),
        properties=[
            (path.removeprefix("."), _short(example)) for path, example in examples.event_properties([name]).items()
        ],
        rules=rules_triggered(snapshot, name),
        sentence=meaning_of(snapshot, name),
        is_ours=name.startswith(reserved(snapshot.catalogue)),
    )


def rules_triggered(snapshot: Snapshot, name: str) -> list[Triggered]:
    """The rules, on or in test, that an event of this name triggers."""
    return [Triggered(one.spec.key, one.spec.name, one.spec.state) for one in snapshot.index.triggered_by(name)]


def _chart(name: str, counts: list[int], size: int) -> Chart:
    """Bars of `size` hours each; the last ends now."""
    first = clock.now() // clock.HOUR - len(counts) + 1
    slots = []
    for start in range(0, len(counts), size):
        moment = timezone.localtime(datetime.fromtimestamp((first + start) * 3600, UTC))
        short = f"{moment:%H:%M}" if size == 1 else f"{moment:%-d %b}"
        slots.append(Slot(f"{moment:%-d %b, %H:%M}", short, (sum(counts[start : start + size]),)))
    return stacked(f"Events named {name}", [Series("Events", "good")], slots, 7 if size > 1 else 8)


def meaning_of(snapshot: Snapshot, name: str) -> str:
    """What the event means, if it is one that an adaptor raises; else empty."""
    prefix, _, own = name.partition(".")
    adaptor = snapshot.catalogue.get(prefix)
    return next((kind.sentence for kind in adaptor.events if kind.name == own), "") if adaptor else ""


def _short(example: Any) -> str:
    text = " ".join(as_text(example).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
