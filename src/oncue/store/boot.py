"""Starting up: what an earlier run left half done is settled before anything new is taken in."""

from __future__ import annotations

import logging

from django.db import connection, transaction

from oncue.core import clock

log = logging.getLogger("oncue.store")

_LEFT = "The process ended while this was being sent; whether the provider has it is not known yet."


def settle() -> int:
    """What an earlier boot left `submitting` is `unknown` now: nobody can say whether it was sent. Returns how many there were.

    It is looked for at the provider from its claim (`due_at` from now on) until now. Safe because the lock on the data directory proves that the earlier process has ended.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_message SET state = 'unknown', reason = %s, due_at = updated_at, updated_at = %s "
            "WHERE state IN ('submitting', 'unknown') AND state = 'submitting'",  # the words of the index that serves it
            [_LEFT, clock.now()],
        )
        left = int(cursor.rowcount)
    if left:
        log.warning("%d messages were being sent when oncue last ended; they are held as unknown", left)
    return left
