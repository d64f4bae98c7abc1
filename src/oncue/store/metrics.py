"""What the store counts, as Prometheus text: kept in memory, so that a scrape costs the database nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oncue.store.writer import Writer


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
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
