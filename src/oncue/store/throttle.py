"""Attempts to sign in are slowed down after a few failures, by e-mail address and by where they come from.

A browser in which that member signed in before is counted by itself: strangers who try somebody's address keep nobody out who is known
(owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies). Of all others a few failures make one place wait, and
many make every place wait, since whoever has a thousand places guesses from each of them.

Addresses within a private network are no place: behind a proxy everybody has the proxy's, and one stranger could keep all members out.
"""

from __future__ import annotations

import ipaddress

from django.db import connection

from oncue.core import clock
from oncue.store.rows import rows

FREE = 5
"""Failures after which one has to wait."""

FREE_ANYWHERE = 50
"""Failures with one e-mail address after which every browser that is not known has to wait, wherever it is."""

WAIT_FOR = 30 * clock.SECOND
"""The first time; each further failure doubles it."""

LONGEST_FOR = 15 * clock.MINUTE

FORGOTTEN_AFTER = clock.HOUR
"""Failures count for so long after the last one, or after the wait it led to."""


def wait_for(email: str, address: str, browser: str = "") -> int:
    """Seconds until the next attempt is allowed; 0 if it is now. `browser` names one that is known to be the member's."""
    keys = list(_counted(email, address, browser))
    marks = ", ".join(["%s"] * len(keys))
    found = rows(f"SELECT until_at FROM store_throttle WHERE key IN ({marks})", keys)
    left = max((row["until_at"] for row in found), default=0) - clock.now()
    return max(0, -(-left // clock.SECOND))


def failed(email: str, address: str, browser: str = "") -> None:
    """An attempt failed."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_throttle WHERE until_at < %s", [now - FORGOTTEN_AFTER])
        for key, free in _counted(email, address, browser).items():
            cursor.execute("SELECT failures FROM store_throttle WHERE key = %s", [key])
            row = cursor.fetchone()
            failures = min((row[0] if row else 0) + 1, 1_000)
            wait = min(WAIT_FOR << min(failures - free, 10), LONGEST_FOR) if failures >= free else 0
            cursor.execute(
                "INSERT INTO store_throttle (key, failures, until_at) VALUES (%s, %s, %s) "
                "ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, until_at = excluded.until_at",
                [key, failures, now + wait],
            )


def succeeded(email: str, address: str, browser: str = "") -> None:
    """Somebody signed in: their failures are forgotten. Those of strangers are not when a known browser signs in."""
    with connection.cursor() as cursor:
        for key in _counted(email, address, browser):
            cursor.execute("DELETE FROM store_throttle WHERE key = %s", [key])


def _counted(email: str, address: str, browser: str) -> dict[str, int]:
    """What is counted, and how many failures of it are free."""
    if browser:
        return {f"browser {browser}": FREE}
    name, where = email.strip().lower()[:200], _network(address)
    counted = {f"email {name}": FREE_ANYWHERE, f"email {name} from {where}": FREE}
    return {**counted, f"from {where}": FREE} if where else counted


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
