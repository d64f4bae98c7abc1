"""Members: colleagues who sign in to the web UI. Passwords are kept as Argon2 hashes."""

from __future__ import annotations

import re

from django.contrib.auth.hashers import make_password
from django.db import connection

from oncue.core import clock, ids


class Refused(Exception):
    """What is wrong with the request, as a sentence."""


def create(email: str, role: str = "owner") -> str:
    """Make a member; returns a fresh password. Raises `Refused`."""
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email) or len(email) > 254:
        raise Refused(f"{email!r} is not an e-mail address.")
    if _exists(email):
        raise Refused(f"{email} is a member already; `oncue member reset {email}` gives them a new password.")
    password = ids.secret(size=12)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_member (id, email, password, role, created_at) VALUES (%s, %s, %s, %s, %s)",
            [ids.new(), email, make_password(password), role, clock.now()],
        )
    return password


def reset(email: str) -> str:
    """Give a member a fresh password. Raises `Refused`."""
    email = email.strip().lower()
    if not _exists(email):
        raise Refused(f"There is no member {email}; `oncue member create {email}` makes one.")
    password = ids.secret(size=12)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_member SET password = %s WHERE email = %s", [make_password(password), email])
    return password


def _exists(email: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM store_member WHERE email = %s", [email])
        return cursor.fetchone() is not None
