"""Attempts to sign in are slowed down after a few failures, by e-mail address and by where they come from.

Addresses within a private network are not counted: behind a proxy everybody has the proxy's, and one stranger could keep all members out.
"""

from __future__ import annotations

import ipaddress

from django.db import connection

from oncue.core import clock
from oncue.store.rows import rows

FREE = 5
"""Failures after which one has to wait."""

WAIT_FOR = 30 * clock.SECOND
"""The first time; each further failure doubles it."""

LONGEST_FOR = 15 * clock.MINUTE

FORGOTTEN_AFTER = clock.HOUR
"""Failures count for so long after the last one, or after the wait it led to."""


def wait_for(email: str, address: str) -> int:
    """Seconds until the next attempt is allowed; 0 if it is now."""
    keys = _keys(email, address)
    marks = ", ".join(["%s"] * len(keys))
    found = rows(f"SELECT until_at FROM store_throttle WHERE failures >= %s AND key IN ({marks})", [FREE, *keys])
    left = max((row["until_at"] for row in found), default=0) - clock.now()
    return max(0, -(-left // clock.SECOND))


def failed(email: str, address: str) -> None:
    """An attempt failed."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_throttle WHERE until_at < %s", [now - FORGOTTEN_AFTER])
        for key in _keys(email, address):
            cursor.execute("SELECT failures FROM store_throttle WHERE key = %s", [key])
            row = cursor.fetchone()
            failures = min((row[0] if row else 0) + 1, 1_000)
            wait = min(WAIT_FOR << min(failures - FREE, 10), LONGEST_FOR) if failures >= FREE else 0
            cursor.execute(
                "INSERT INTO store_throttle (key, failures, until_at) VALUES (%s, %s, %s) "
                "ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, until_at = excluded.until_at",
                [key, failures, now + wait],
            )


def succeeded(email: str, address: str) -> None:
    """Somebody signed in: their failures are forgotten."""
    with connection.cursor() as cursor:
        for key in _keys(email, address):
            cursor.execute("DELETE FROM store_throttle WHERE key = %s", [key])


def _keys(email: str, address: str) -> list[str]:
    where = _network(address)
    return [f"email {email.strip().lower()[:254]}", *([f"from {where}"] if where else [])]


def _network(address: str) -> str:
    """Whom to count: an IPv4 address, or the /64 that one subscriber has; empty for nobody in particular."""
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(one, ipaddress.IPv6Address) and one.ipv4_mapped:
        one = one.ipv4_mapped
    if not one.is_global:
        return ""
    return str(one) if one.version == 4 else str(ipaddress.ip_network((one, 64), strict=False))
