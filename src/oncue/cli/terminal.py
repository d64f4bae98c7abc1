"""How the command line speaks: tables that fit the terminal, JSON when asked, one sentence and exit 1 when something is wrong."""

from __future__ import annotations

import asyncio
import os
import signal
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


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read what is said has gone (`| head`): nothing more is said, and the program ends, in order if it serves."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise SystemExit(1) from None
        signal.raise_signal(signal.SIGINT)


out = _Console(highlight=False)
err = _Console(stderr=True, highlight=False)


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
    sys.stdout.flush()


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
    cells = [[" ".join(read(row).splitlines()) for read in columns.values()] for row in rows]
    if not is_fitted():
        _print_whole([list(columns), *cells])
        return
    widths = [max(len(title), *(len(row[n]) for row in cells)) for n, title in enumerate(columns)]
    least = [max(len(title), 6) for title in columns]
    flexible, left = _shared(list(columns), widths, least)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for n, title in enumerate(columns):
        room = max(least[n], left // max(1, len(flexible)) - 1) if n in flexible else widths[n]
        table.add_column(title, overflow="ellipsis", no_wrap=True, max_width=min(widths[n], room))
    for row in cells:
        table.add_row(*map(escape, row))
    out.print(table)


def _print_whole(cells: list[list[str]]) -> None:
    """For a program, or a file: nothing is cut, and the last column, which may be long, is not filled up."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    widths[-1] = 0
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _shared(titles: list[str], widths: list[int], least: list[int]) -> tuple[set[int], int]:
    """(columns that share what room there is, that room). In a terminal, what is copied and pasted, and times, stay whole; where that leaves too
    little, all but an id gives way, the last first: cut, an id would be of no use."""
    flexible = {n for n, title in enumerate(titles) if title not in _WHOLE}
    giving_way = [n for n, title in enumerate(titles) if title in _WHOLE and title != "id"]
    while True:
        left = out.width - sum(width + 1 for n, width in enumerate(widths) if n not in flexible)
        if left >= sum(least[n] + 1 for n in flexible) or not giving_way:
            return flexible, left
        flexible.add(giving_way.pop())


def is_fitted() -> bool:
    """Whether tables are made to fit: in a terminal, or where its width is given. A program gets everything."""
    return out.is_terminal or "COLUMNS" in os.environ


_WHOLE = ("when", "id", "to", "name", "state", "number", "since", "changed")


def when(at: int | None) -> str:
    """`2026-11-23 17:00:00` UTC, or nothing."""
    return clock.iso(at)[:19].replace("T", " ") if at else ""


def plain(value: Any) -> str:
    """A value as JSON, on one line."""
    return msgspec.json.encode(value).decode()


escaped = escape
