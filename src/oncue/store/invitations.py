"""Invitations: links that work once. Whoever opens one chooses a password, and is that member from then on.

One without an address makes the first owner, and works only as long as there is no member; one without a role gives a member who forgot
their password a new one.
"""

from __future__ import annotations

from django.db import connection

from oncue.core import clock, ids
from oncue.store import audit, members
from oncue.store.refusal import Refused
from oncue.store.rows import Row, rows
from oncue.store.secrets import digest

LASTS_FOR = 7 * clock.DAY
RESET_LASTS_FOR = clock.DAY


def create(email: str, role: str, by: str) -> str:
    """Invite a colleague; returns the token of the link, shown once. An earlier invitation to that address ends. Raises `Refused`."""
    email = members.address(email)
    if role not in members.ROLES:
        raise Refused(f"{role!r} is not a role; a member is viewer, editor or owner.")
    if members.by_email(email):
        raise Refused(f"{email} is a member already; give them a link to choose a new password instead.")
    audit.record(by, "created", "invitation", email, after={"role": role})
    return _write(email, role, LASTS_FOR)


def renew_password(email: str, by: str) -> str:
    """A link by which a member chooses a new password; returns its token. Raises `Refused`."""
    email = members.address(email)
    if members.by_email(email) is None:
        raise Refused(f"There is no member {email}; invite them.")
    audit.record(by, "created", "invitation", email, note="to choose a new password")
    return _write(email, "", RESET_LASTS_FOR)


def first_owner_token() -> str | None:
    """The token of a link that makes the first owner, fresh each time; None as soon as there is a member. In a transaction."""
    return None if members.any_member() else _write("", "owner", LASTS_FOR)


def find(token: str) -> Row | None:
    """The invitation (email, role, expires_at) that this token opens, if it still works. `email` is empty for the first owner's."""
    found = rows(
        "SELECT email, role, created_at, expires_at FROM store_invitation WHERE digest = %s AND expires_at > %s",
        [digest(token), clock.now()],
    )
    if not found:
        return None
    one = found[0]
    works = (
        not members.any_member() if not one["email"] else (members.by_email(one["email"]) is None) == bool(one["role"])
    )
    return one if works else None


def take(token: str, password: str, email: str = "") -> str:
    """Use the link up: the member's id, new or with a new password. Raises `Refused`, a line a fault.

    `email` is asked for the first owner only; of an invitation that names somebody it is theirs, whatever is given.
    """
    one = find(token)
    if one is None:
        raise Refused("This link has been used, or is too old; ask for another.")
    email = one["email"] or members.address(email)
    hashed = members.password_hash(password, email)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_invitation WHERE digest = %s OR email = %s", [digest(token), one["email"]])
    known = members.by_email(email)
    if known is None:
        return members.add(email, one["role"], hashed, email)
    members.set_password(known["id"], hashed, email)
    return str(known["id"])


def pending() -> list[Row]:
    """Invitations that nobody has used yet, newest first: email, role (empty: a new password), created_at, expires_at."""
    return rows(
        "SELECT email, role, created_at, expires_at FROM store_invitation WHERE email <> '' AND expires_at > %s ORDER BY created_at DESC",
        [clock.now()],
    )


def revoke(email: str, by: str) -> bool:
    """The link to that address works no more. Returns whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_invitation WHERE email = %s", [email])
        found = bool(cursor.rowcount)
    if found:
        audit.record(by, "revoked", "invitation", email)
    return found


def _write(email: str, role: str, lasts_for: int) -> str:
    token, now = ids.secret(), clock.now()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_invitation WHERE email = %s OR expires_at <= %s", [email, now])
        cursor.execute(
            "INSERT INTO store_invitation (digest, email, role, created_at, expires_at) VALUES (%s, %s, %s, %s, %s)",
            [digest(token), email, role, now, now + lasts_for],
        )
    return token
