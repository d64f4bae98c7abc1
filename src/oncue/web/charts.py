"""Charts as numbers that a template draws: stacked bars over time, with the few labels that fit, and the same as a table.

The bars are SVG that stretches to the width there is; the words around them are HTML, so that they are as large on a phone as on a desk.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

TALL = 100
"""Height of the drawing, and 10 wide for each bar, in its own units."""

_STEPS = (1, 2, 4, 5, 10)
_SHARE = 7.0
"""What of a bar's 10 is filled; the rest is the space between."""


class Series(msgspec.Struct, frozen=True):
    """One part of each bar: its word, and its colour (`good`, `warn`, `bad`, `wait`), never one without the other."""

    label: str
    tone: str


class Slot(msgspec.Struct, frozen=True):
    """What one bar stands for: its whole name (`24 Nov, 14:00`), what stands under it, and a value for each series."""

    name: str
    short: str
    values: tuple[int, ...]


class Piece(msgspec.Struct, frozen=True):
    """A rectangle."""

    tone: str
    x: float
    y: float
    width: float
    height: float


class Bar(msgspec.Struct, frozen=True):
    """The pieces of one bar, and what is said of it when it is pointed at."""

    title: str
    x: float
    pieces: tuple[Piece, ...]


class Chart(msgspec.Struct, frozen=True):
    """All that the template needs."""

    sentence: str
    """What a person hears who does not see it."""
    series: tuple[Series, ...]
    slots: tuple[Slot, ...]
    bars: tuple[Bar, ...]
    width: int
    top: int
    """The value at the upper edge."""
    ticks: tuple[str, ...]
    """Each stands under the first of as many bars as every other."""

    @property
    def middle(self) -> int:
        """The value half way up."""
        return self.top // 2

    @property
    def is_empty(self) -> bool:
        """Nothing happened in all this time."""
        return not any(any(slot.values) for slot in self.slots)


def stacked(what: str, series: Sequence[Series], slots: Sequence[Slot], ticks: int = 8) -> Chart:
    """Bars of these slots, the first series at the bottom. `what` says what is counted; so many slots at most are named below."""
    top = rounded_up(max((sum(slot.values) for slot in slots), default=0))
    every = next((n for n in range(1, len(slots)) if len(slots) % n == 0 and len(slots) // n <= ticks), 1)
    totals = [sum(slot.values[index] for slot in slots) for index in range(len(series))]
    counted = ", ".join(f"{total:,} {one.label.lower()}" for one, total in zip(series, totals, strict=True))
    return Chart(
        sentence=f"{what}: {counted}.",
        series=tuple(series),
        slots=tuple(slots),
        bars=tuple(_bar(series, slot, number, top) for number, slot in enumerate(slots)),
        width=10 * len(slots),
        top=top,
        ticks=tuple(slot.short for slot in slots[::every]),
    )


def rounded_up(most: int) -> int:
    """The even, round number at the top of a scale that holds `most`."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size >= max(most, 2) and (step * size) % 2 == 0:
                return step * size
        size *= 10


def _bar(series: Sequence[Series], slot: Slot, number: int, top: int) -> Bar:
    x, y = number * 10 + (10 - _SHARE) / 2, float(TALL)
    pieces = []
    for one, value in zip(series, slot.values, strict=True):
        height = round(value / top * TALL, 2)
        y = round(y - height, 2)
        if value:
            pieces.append(Piece(one.tone, x, y, _SHARE, height))
    counted = ", ".join(
        f"{value:,} {one.label.lower()}" for one, value in zip(series, slot.values, strict=True) if value
    )
    return Bar(f"{slot.name}: {counted or 'none'}", number * 10.0, tuple(pieces))
