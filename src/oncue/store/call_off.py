"""Calling off one message that still waits, for a reason."""

from __future__ import annotations

from django.db import connection

from oncue.core import clock
from oncue.core.message import State
from oncue.store import audit
from oncue.store.refusal import Refused


def call_off(message: str, by: str, reason: str) -> None:
    """It will not be sent. Inside a transaction. Raises `Refused` if it is too late for that."""
    reason = reason.strip().replace("\0", "")
    if not reason:
        raise Refused("Say why it is called off; the reason is kept.")
    with connection.cursor() as cursor:
        sql = "UPDATE store_message SET state = %s, reason = %s, updated_at = %s WHERE id = %s AND state = 'waiting'"
        cursor.execute(sql, [State.CANCELED.value, f"{by} called it off: {reason}", clock.now(), message])
        if not cursor.rowcount:
            raise Refused("It no longer waits, so it is too late to call it off.")
    audit.record(by, "called off", "message", message, note=reason)
