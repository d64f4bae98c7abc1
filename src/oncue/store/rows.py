"""Rows of the database as maps: how everything that people read leaves the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection

from oncue.core.redact import without_credentials

Row = dict[str, Any]

_JSON = frozenset({"properties", "fields", "warnings", "trace", "exchange", "scopes", "raw", "before", "after"})
_SHOWN = frozenset({"fields", "before", "after"})
"""What may hold the headers of a webhook."""


def rows(sql: str, values: Sequence[Any]) -> list[Row]:
    """Rows of a query as maps, JSON columns decoded, credentials in headers hidden."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [
            {name: _value(name, value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
        ]


def one(sql: str, values: Sequence[Any]) -> Row | None:
    """The first row of a query, if there is one."""
    found = rows(f"{sql} LIMIT 1", values)
    return found[0] if found else None


def _value(name: str, value: Any) -> Any:
    if name not in _JSON:
        return value
    found = msgspec.json.decode(value) if value else None
    return without_credentials(found) if name in _SHOWN else found
