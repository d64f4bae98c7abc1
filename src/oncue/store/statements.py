"""Statements that write many rows at once.

SQLite's driver lets go of Python's lock for every row that `executemany` writes, and while the event loop is busy each row then waits for
its turn to take it back: a transaction of 250 rows took five times as long as its work. So a statement names all its rows. Statements of
1, 2, 4 … 128 rows are prepared once each and kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
from django.db import connection

MOST_ROWS = 128
"""Times the columns of the widest table this stays far below SQLite's limit of 32,766 values."""

Row = tuple[Any, ...]


class Statement(msgspec.Struct, frozen=True):
    """A statement around its rows: `head (?, ?), (?, ?) tail`."""

    head: str
    columns: int
    tail: str


def insert(table: str, columns: str, conflict: str = "") -> Statement:
    """An INSERT, and what to do about rows that are there. No two rows of one write may be the same one."""
    return Statement(f"INSERT INTO {table} ({columns}) VALUES ", columns.count(",") + 1, conflict)


def update(table: str, key: str, columns: Sequence[str]) -> Statement:
    """An UPDATE of these columns; each row begins with its key."""
    # A list of VALUES names its columns column1, column2 and so on, in SQLite as in PostgreSQL.
    changes = ", ".join(f"{name} = given.column{number}" for number, name in enumerate(columns, 2))
    tail = f") AS given WHERE {table}.{key} = given.column1"
    return Statement(f"UPDATE {table} SET {changes} FROM (VALUES ", len(columns) + 1, tail)


def write(statement: Statement, rows: list[Row]) -> None:
    """Write the rows, in order."""
    at = 0
    while at < len(rows):
        size = min(MOST_ROWS, 1 << ((len(rows) - at).bit_length() - 1))
        _run(_sql(statement, size), list(chain.from_iterable(rows[at : at + size])))
        at += size


@lru_cache(maxsize=256)
def _sql(statement: Statement, rows: int) -> str:
    marks = f"({', '.join('?' * statement.columns)})"
    return f"{statement.head}{', '.join([marks] * rows)} {statement.tail}"


def _run(sql: str, values: list[Any]) -> None:
    """Past Django's cursor, which would translate thousands of marks each time."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        database: sqlite3.Connection = connection.connection
        database.execute(sql, values).close()
