"""How far the store has come: what a live page compares to know that there is more."""

from __future__ import annotations

from django.db import connection


def newest() -> dict[str, int]:
    """The `seq` of the newest event and message: a step down each table's own key, whatever its size."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT MAX(seq) FROM store_event), (SELECT MAX(seq) FROM store_message)")
        events, messages = cursor.fetchone()
    return {"events": events or 0, "messages": messages or 0}
