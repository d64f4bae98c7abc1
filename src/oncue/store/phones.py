"""Whose phone is it: users by their number, for people who look at phones."""

from __future__ import annotations

from collections.abc import Iterable

from oncue.store.facts import AMONG, encode
from oncue.store.rows import rows

_NEWEST = 50


def owners(numbers: Iterable[str]) -> dict[str, str]:
    """Number → user, for numbers that exactly one user has."""
    sql = f"SELECT phone, MIN(id) AS id FROM store_user WHERE NOT phone = '' AND phone {AMONG} GROUP BY phone HAVING COUNT(*) = 1"
    return {row["phone"]: row["id"] for row in rows(sql, [encode(sorted(set(numbers))).decode()])}


def newest(limit: int) -> list[str]:
    """Numbers among the newest users, the newest first."""
    newest_users = "SELECT phone, seq FROM store_user ORDER BY seq DESC LIMIT %s"
    sql = f"SELECT phone FROM ({newest_users}) AS newest WHERE NOT phone = '' ORDER BY seq DESC LIMIT %s"
    return list(dict.fromkeys(row["phone"] for row in rows(sql, [_NEWEST, limit])))
