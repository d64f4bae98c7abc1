"""What the store counts, as Prometheus text: kept in memory, so that a scrape costs the database nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oncue.store.writer import Writer


MOST_LABELS = 200
"""Labels of one counter that are told apart; the rest are `other`. Event names, for one, are whatever apps send."""

OTHER = "other"


GAUGES = {
    "in_doubt_messages": "Messages of which it is not known whether the provider has them.",
    "provider_copies": "Messages whose content the provider is still to forget; it stops counting at 10,000.",
    "reconciler_behind_seconds": "By how much asking after late messages lags behind.",
}


class Totals(Counter[tuple[str, str]]):
    """What was committed since the process began, by (name, label) as in the hourly counters."""

    def __init__(self) -> None:
        super().__init__()
        self._labels: Counter[str] = Counter()

    def add(self, counted: Mapping[tuple[str, str], int]) -> None:
        """Count these too."""
        for key, count in counted.items():
            if key not in self:
                key = self._place(key)
            self[key] += count

    def _place(self, key: tuple[str, str]) -> tuple[str, str]:
        if self._labels[key[0]] >= MOST_LABELS:
            return key[0], OTHER
        self._labels[key[0]] += 1
        return key


def metrics(writer: Writer) -> str:
    """Counters since the process began, and gauges of now."""
    lines = [
        "# HELP oncue_writer_queue_items Items waiting to be committed.",
        "# TYPE oncue_writer_queue_items gauge",
        f"oncue_writer_queue_items {writer.waiting}",
        "# HELP oncue_writer_transactions_total Transactions committed.",
        "# TYPE oncue_writer_transactions_total counter",
        f"oncue_writer_transactions_total {writer.transactions}",
        "# HELP oncue_store_total What was committed, by kind and label.",
        "# TYPE oncue_store_total counter",
    ]
    for (name, label), count in sorted(writer.totals.items()):
        lines.append(f'oncue_store_total{{kind="{_quoted(name)}",label="{_quoted(label)}"}} {count}')
    for name, sentence in GAUGES.items():
        lines += [f"# HELP oncue_{name} {sentence}", f"# TYPE oncue_{name} gauge"]
        measured = sorted((label, value) for (kind, label), value in writer.gauges.items() if kind == name)
        lines += [f'oncue_{name}{{adaptor="{_quoted(label)}"}} {value:g}' for label, value in measured]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
