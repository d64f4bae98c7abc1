"""Who was here last: read from the sessions that members have."""

from __future__ import annotations

from oncue.core import clock
from oncue.store.rows import rows


def last_seen() -> dict[str, int]:
    """When each member who is signed in somewhere was last seen, by member's id."""
    sql = "SELECT member, MAX(seen_at) AS seen_at FROM store_session WHERE expires_at > %s GROUP BY member"
    return {row["member"]: row["seen_at"] for row in rows(sql, [clock.now()])}
