"""How the command line speaks: tables that fit the terminal, JSON when asked, one sentence and exit 1 when something is wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oncue.core import clock

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def fail(sentence: str) -> NoReturn:
    """Say what is wrong and what to do; exit 1."""
    err.print(f"[red]oncue:[/red] {escape(sentence)}", soft_wrap=True)
    raise typer.Exit(1)


@contextmanager
def sentences(*expected: type[Exception]) -> Iterator[None]:
    """Turn expected errors, whose text is a sentence, into `fail`."""
    try:
        yield
    except expected as error:
        fail(str(error))


def say(text: str = "") -> None:
    """A line for a person. Rich markup; escape what comes from data."""
    out.print(text, soft_wrap=True)


def print_json(value: Any) -> None:
    """JSON on standard output, nothing else: for programs."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_rows(
    rows: Sequence[dict[str, Any]], columns: dict[str, Callable[[dict[str, Any]], str]], *, as_json: bool, nothing: str
) -> None:
    """A listing: a table with these columns (title → how to read it from a row), or the whole rows as JSON."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        say(nothing)
        return
    cells = [[read(row) for read in columns.values()] for row in rows]
    widths = [max(len(title), *(len(row[n]) for row in cells)) for n, title in enumerate(columns)]
    # In a terminal, what is copied and pasted, and times, stay whole; the rest shares what room there is. A program gets everything.
    is_fitted = out.is_terminal or "COLUMNS" in os.environ
    flexible = [n for n, title in enumerate(columns) if title not in _WHOLE]
    left = out.width - sum(widths[n] + 1 for n in range(len(widths)) if n not in flexible)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for n, title in enumerate(columns):
        room = max(len(title), 6, left // max(1, len(flexible)) - 1) if is_fitted and n in flexible else widths[n]
        table.add_column(title, overflow="ellipsis", no_wrap=True, max_width=min(widths[n], room))
    for row in cells:
        table.add_row(*map(escape, row))
    (out if is_fitted else Console(highlight=False, width=sum(widths) + 2 * len(widths))).print(table)


_WHOLE = ("when", "id", "to", "name", "state", "number", "since", "changed")


def when(at: int | None) -> str:
    """`2026-11-23 17:00:00` UTC, or nothing."""
    return clock.iso(at)[:19].replace("T", " ") if at else ""


def plain(value: Any) -> str:
    """A value as JSON, on one line."""
    return msgspec.json.encode(value).decode()


escaped = escape
