"""Statements of the writer: many rows are written, or read, in one step.

SQLite's driver lets go of Python's lock for every row that it reads, and for every statement; while the event loop is busy the writer's thread
then waits for its turn to take the lock back: a transaction that wrote 250 rows one by one took five times as long as its work. So a
statement names all its rows, and a query answers with one row, which is a JSON list of rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache, lru_cache
from itertools import chain
from typing import Any

import msgspec
from django.db import connection

_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Rows that a statement has, so that each statement is prepared a few times and kept. Times the columns of the widest table, the last one stays
far below SQLite's limit of 32,766 values."""

Row = tuple[Any, ...]


class Statement(msgspec.Struct, frozen=True):
    """A statement around its rows: `head (?, ?), (?, ?) tail`. Rows whose first value is NULL are none: they fill it up."""

    head: str
    columns: int
    tail: str


def insert(table: str, columns: str, conflict: str = "") -> Statement:
    """An INSERT, and what to do about rows that are there. No two rows of one write may be the same one."""
    head = f"INSERT INTO {table} ({columns}) SELECT * FROM (VALUES "
    return Statement(head, columns.count(",") + 1, f") AS given WHERE column1 IS NOT NULL {conflict}")


def update(table: str, key: str, columns: Sequence[str]) -> Statement:
    """An UPDATE of these columns; each row begins with its key."""
    # A list of VALUES names its columns column1, column2 and so on, in SQLite as in PostgreSQL.
    changes = ", ".join(f"{name} = given.column{number}" for number, name in enumerate(columns, 2))
    tail = f") AS given WHERE {table}.{key} = given.column1"
    return Statement(f"UPDATE {table} SET {changes} FROM (VALUES ", len(columns) + 1, tail)


def write(statement: Statement, rows: list[Row]) -> None:
    """Write the rows, in order."""
    for at in range(0, len(rows), _SIZES[-1]):
        some = rows[at : at + _SIZES[-1]]
        size = next(size for size in _SIZES if size >= len(some))
        filling = [None] * ((size - len(some)) * statement.columns)
        _run(_sql(statement, size), [*chain.from_iterable(some), *filling]).close()


class Question(msgspec.Struct, frozen=True):
    """What stands between SELECT and FROM, what follows, its values, and the shape of a row."""

    columns: str
    source: str
    values: tuple[Any, ...]
    shape: Any = list[Any]


def read(*questions: Question) -> list[list[Any]]:
    """The rows that answer each question, all in one step."""
    sql = _select(tuple([(one.columns, one.source) for one in questions]))
    with closing(_run(sql, [value for one in questions for value in one.values])) as cursor:
        found = cursor.fetchone()
    return [_reader(one.shape).decode(rows) for one, rows in zip(questions, found, strict=True)]


def read_row_by_row(question: Question) -> list[Any]:
    """The rows as the database has them, whatever they hold."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {question.columns} FROM {question.source}", question.values)
        rows: list[Any] = cursor.fetchall()
        return rows


@lru_cache(maxsize=512)
def _select(asked: tuple[tuple[str, str], ...]) -> str:
    lists = [
        f"(SELECT json_group_array(json_array({columns})) FROM (SELECT {columns} FROM {source}))"
        for columns, source in asked
    ]
    return f"SELECT {', '.join(lists)}"


@cache
def _reader(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(list[shape])


@lru_cache(maxsize=512)
def _sql(statement: Statement, rows: int) -> str:
    marks = f"({', '.join('?' * statement.columns)})"
    return f"{statement.head}{', '.join([marks] * rows)}{statement.tail}"


def _run(sql: str, values: Sequence[Any]) -> sqlite3.Cursor:
    """Past Django's cursor, which would translate thousands of marks each time."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        database: sqlite3.Connection = connection.connection
        return database.execute(sql, values)
