"""Sessions: the browsers that members are signed in with. Only a digest of the cookie is stored, so nobody who reads the file can use it."""

from __future__ import annotations

from django.db import connection

from oncue.core import clock, ids
from oncue.store import audit
from oncue.store.rows import Row, rows
from oncue.store.secrets import digest

IDLE_FOR = 14 * clock.DAY
"""A session that nobody uses for so long has ended."""

LONGEST_FOR = 90 * clock.DAY
"""After this one signs in again, however often it was used."""

TOUCH_AFTER = clock.MINUTE
"""A use is noted at most this often."""

_SESSION = "store_session.digest AS session, agent, address, store_session.created_at AS opened_at, seen_at, expires_at"


def open_session(member: str, agent: str, address: str) -> str:
    """Sign a browser in; returns the token for its cookie, which cannot be had again. Sessions that have ended are cleared away."""
    token, now = ids.secret(), clock.now()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_session WHERE expires_at <= %s", [now])
        cursor.execute(
            "INSERT INTO store_session (digest, member, agent, address, created_at, seen_at, expires_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [digest(token), member, agent[:200], address[:50], now, now, now + IDLE_FOR],
        )
    return token


def find_session(token: str) -> Row | None:
    """The member with that token, as they are now: id, email, role, zone, and of the session: session, opened_at, seen_at, expires_at, agent, address.

    None if the session has ended or its member is disabled.
    """
    found = rows(
        f"SELECT store_member.id, email, role, zone, {_SESSION} FROM store_session JOIN store_member ON store_member.id = store_session.member "
        "WHERE store_session.digest = %s AND expires_at > %s AND disabled_at IS NULL",
        [digest(token), clock.now()],
    )
    return found[0] if found else None


def touch(token: str, address: str) -> None:
    """The session is in use; writes at most once a minute."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_session SET seen_at = %s, address = %s, "
            "expires_at = CASE WHEN created_at + %s < %s THEN created_at + %s ELSE %s END "
            "WHERE digest = %s AND seen_at <= %s AND expires_at > %s",
            [now, address[:50], LONGEST_FOR, now + IDLE_FOR, LONGEST_FOR, now + IDLE_FOR, digest(token), now - TOUCH_AFTER, now],
        )  # fmt: skip


def close_session(token: str) -> None:
    """Sign this browser out."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_session WHERE digest = %s", [digest(token)])


def listed(member: str) -> list[Row]:
    """A member's sessions, last used first. `session` is what `revoke` takes; it is no token."""
    sql = f"SELECT {_SESSION} FROM store_session WHERE member = %s AND expires_at > %s ORDER BY seen_at DESC"
    return rows(sql, [member, clock.now()])


def revoke(member: str, session: str, by: str) -> bool:
    """End one of a member's sessions. Returns whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_session WHERE member = %s AND digest = %s", [member, session])
        found = bool(cursor.rowcount)
    if found:
        audit.record(by, "revoked", "session", _email(member), note=f"session {session[:8]}")
    return found


def revoke_all(member: str, by: str, keep: str = "") -> int:
    """End all of a member's sessions but `keep`; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_session WHERE member = %s AND digest <> %s", [member, keep])
        count = int(cursor.rowcount)
    if count:
        audit.record(by, "revoked", "session", _email(member), note="all others" if keep else "all")
    return count


def _email(member: str) -> str:
    found = rows("SELECT email FROM store_member WHERE id = %s", [member])
    return str(found[0]["email"]) if found else member
