"""Members: colleagues who sign in to the web UI. Passwords are kept as Argon2 hashes.

There is always an owner who can sign in, once there was one. Whoever loses a right loses it at once: a request looks its member up.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import hashers
from django.contrib.auth import password_validation as validation
from django.core.exceptions import ValidationError
from django.db import connection

from oncue.core import clock, ids
from oncue.store import audit
from oncue.store.refusal import Refused
from oncue.store.rows import Row, rows

__all__ = ["ROLES", "Refused"]

ROLES = ("viewer", "editor", "owner")
"""Each may do what those before it may."""

_SHOWN = "id, email, role, zone, created_at, disabled_at"
_LAST = "There must be an owner who can sign in; make somebody else one first."


def create(email: str, role: str = "owner", *, by: str = audit.COMMAND_LINE) -> str:
    """Make a member; returns a fresh password. Raises `Refused`."""
    email = address(email)
    if by_email(email):
        raise Refused(f"{email} is a member already; `oncue member reset {email}` gives them a new password.")
    password = ids.secret(size=12)
    add(email, role, hashers.make_password(password), by)
    return password


def add(email: str, role: str, hashed: str, by: str) -> str:
    """Add a member whose password has that hash; returns their id. Raises `Refused`. The address is one, and no member's yet."""
    _check_role(role)
    one = ids.new()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_member (id, email, password, role, created_at) VALUES (%s, %s, %s, %s, %s)",
            [one, email, hashed, role, clock.now()],
        )
    audit.record(by, "created", "member", email, after={"role": role})
    return one


def reset(email: str, *, by: str = audit.COMMAND_LINE) -> str:
    """Give a member a fresh password, and end their sessions. Raises `Refused`."""
    email = email.strip().lower()
    found = by_email(email)
    if found is None:
        raise Refused(f"There is no member {email}; `oncue member create {email}` makes one.")
    password = ids.secret(size=12)
    set_password(found["id"], hashers.make_password(password), by)
    return password


def listed() -> list[Row]:
    """Every member, by e-mail address: id, email, role, zone, created_at, disabled_at (None, or since when they cannot sign in)."""
    return rows(f"SELECT {_SHOWN} FROM store_member ORDER BY email", [])


def member(one: str) -> Row | None:
    """The member of that id."""
    found = rows(f"SELECT {_SHOWN} FROM store_member WHERE id = %s", [one])
    return found[0] if found else None


def by_email(email: str) -> Row | None:
    """The member with that address, in lower case."""
    found = rows(f"SELECT {_SHOWN} FROM store_member WHERE email = %s", [email])
    return found[0] if found else None


def authenticate(email: str, password: str) -> Row | None:
    """The member who may sign in so, if any. Takes as long for an address that nobody has. Reads only: outside a transaction.

    `rehashed` is not empty if the password should be kept by today's parameters: give it to `keep_hash` in the transaction that follows.
    """
    found = rows(f"SELECT {_SHOWN}, password FROM store_member WHERE email = %s", [email.strip().lower()])
    if not found:
        hashers.make_password(password[:_LONGEST])
        return None
    hashed = found[0].pop("password")
    is_right, is_old = hashers.verify_password(password[:_LONGEST], hashed)
    if not is_right or found[0]["disabled_at"] is not None or len(password) > _LONGEST:
        return None
    return {**found[0], "rehashed": hashers.make_password(password) if is_old else ""}


_LONGEST = 1_000


def keep_hash(one: str, rehashed: str) -> None:
    """Keep the same password's new hash; nothing for an empty one."""
    if rehashed:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE store_member SET password = %s WHERE id = %s", [rehashed, one])


def password_hash(password: str, email: str) -> str:
    """The hash of a password that a member chose. Slow on purpose: outside a transaction, if it can be. Raises `Refused`, a line a fault."""
    from oncue.store.models import Member

    if len(password) > _LONGEST:
        raise Refused(f"A password has at most {_LONGEST} characters.")
    checks: list[validation.PasswordValidator] = [
        validation.MinimumLengthValidator(min_length=10),
        validation.UserAttributeSimilarityValidator(user_attributes=("email",)),
        validation.CommonPasswordValidator(),
        validation.NumericPasswordValidator(),
    ]
    try:
        who: Any = Member(email=email)  # for its attributes: what is kept of a member is no user of Django's
        validation.validate_password(password, who, password_validators=checks)
    except ValidationError as error:
        raise Refused("\n".join(error.messages)) from None
    return hashers.make_password(password)


def set_password(one: str, hashed: str, by: str, keep_session: str = "") -> None:
    """Change a member's password and end their sessions, but for the one with the digest `keep_session`. Raises `Refused`."""
    found = _existing(one)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_member SET password = %s WHERE id = %s", [hashed, one])
        cursor.execute("DELETE FROM store_session WHERE member = %s AND digest <> %s", [one, keep_session])
    audit.record(by, "changed password", "member", found["email"])


def set_role(one: str, role: str, by: str) -> None:
    """Change what a member may do, from their next request on. Raises `Refused`, for the last owner too."""
    _check_role(role)
    found = _existing(one)
    if found["role"] == role:
        return
    if role != "owner":
        _keep_an_owner(found)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_member SET role = %s WHERE id = %s", [role, one])
    audit.record(by, "changed role", "member", found["email"], {"role": found["role"]}, {"role": role})


def set_zone(one: str, zone: str) -> None:
    """The member's time zone (an IANA name), in which they see times; empty for UTC."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_member SET zone = %s WHERE id = %s", [zone[:50], one])


def disable(one: str, by: str) -> None:
    """Let a member sign in no more, and end their sessions. Raises `Refused`, for the last owner too."""
    found = _existing(one)
    if found["disabled_at"] is not None:
        return
    _keep_an_owner(found)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_member SET disabled_at = %s WHERE id = %s", [clock.now(), one])
        cursor.execute("DELETE FROM store_session WHERE member = %s", [one])
    audit.record(by, "disabled", "member", found["email"])


def enable(one: str, by: str) -> None:
    """Let them sign in again. Raises `Refused`."""
    found = _existing(one)
    if found["disabled_at"] is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_member SET disabled_at = NULL WHERE id = %s", [one])
    audit.record(by, "enabled", "member", found["email"])


def address(text: str) -> str:
    """An e-mail address as members' are kept: trimmed, in lower case. Raises `Refused`."""
    email = text.strip().lower()
    if not re.fullmatch(r"[^@\s\0]+@[^@\s\0]+", email) or len(email) > 254:
        raise Refused(f"{email!r} is not an e-mail address.")
    return email


def any_member() -> bool:
    """Whether there is a member at all."""
    return bool(rows("SELECT 1 AS one FROM store_member LIMIT 1", []))


def _existing(one: str) -> Row:
    found = member(one)
    if found is None:
        raise Refused("There is no such member any more.")
    return found


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Refused(f"{role!r} is not a role; a member is viewer, editor or owner.")


def _keep_an_owner(leaving: Row) -> None:
    sql = "SELECT 1 AS one FROM store_member WHERE role = 'owner' AND disabled_at IS NULL AND id <> %s LIMIT 1"
    if leaving["role"] == "owner" and leaving["disabled_at"] is None and not rows(sql, [leaving["id"]]):
        raise Refused(_LAST)
