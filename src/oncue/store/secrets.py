"""Secrets at rest: encrypted with Fernet under a key that never enters the database.

The key comes from `ONCUE_SECRET_KEY` (any long random text) or is generated into the data directory, readable by its owner only. While it is
being changed there are two: the new one, which encrypts, and the one before, which still decrypts; so it can be changed without a moment at
which a crash would lose the secrets.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import connection

from oncue.core import ids

KEY_FILE = "secret.key"


class WrongKey(Exception):
    """The saved secrets were encrypted under another key."""


class Vault:
    """Encrypts maps of secrets with the first of its keys, and decrypts what any of them encrypted."""

    def __init__(self, *keys: str) -> None:
        self._fernet = MultiFernet(
            [Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys]
        )

    def close(self, secrets: dict[str, Any]) -> str:
        """The secrets as one encrypted text; empty for none."""
        return self._fernet.encrypt(msgspec.json.encode(secrets)).decode() if secrets else ""

    def open(self, token: str) -> dict[str, Any]:
        """The secrets again. Raises `WrongKey`."""
        if not token:
            return {}
        try:
            return msgspec.json.decode(self._fernet.decrypt(token.encode()), type=dict[str, Any])
        except InvalidToken:
            raise WrongKey(
                "The saved secrets cannot be read: ONCUE_SECRET_KEY (or secret.key in the data directory) is not the one they were saved with."
                " Put the old key back, or enter the secrets anew."
            ) from None

    def ticket(self) -> str:
        """Something that only this installation's key makes, good for a few minutes and fit for a path: by it oncue knows its own doctor."""
        return self._fernet.encrypt(_TICKET).decode().rstrip("=")

    def is_ticket(self, text: str) -> bool:
        """Whether it is one, and not too old."""
        padded = text + "=" * (-len(text) % 4)
        try:
            return self._fernet.decrypt(padded.encode("ascii", "replace"), ttl=_TICKET_HOLDS_FOR) == _TICKET
        except InvalidToken:
            return False


_TICKET = b"oncue doctor"
_TICKET_HOLDS_FOR = 300


def keys_in(data_dir: Path) -> list[str]:
    """The key kept in the data directory, made on first use; and the one before, while it is being changed."""
    if not (data_dir / KEY_FILE).exists():
        keep(data_dir, ids.secret(size=48))
    return read_keys(data_dir)


def read_keys(data_dir: Path) -> list[str]:
    """What `keys_in` finds, and makes nothing. Raises OSError."""
    return [line.strip() for line in (data_dir / KEY_FILE).read_text().splitlines() if line.strip()]


def keep(data_dir: Path, *keys: str) -> None:
    """Have these be the keys in the data directory; there are the old ones or the new ones, whatever happens."""
    fresh = data_dir / f"{KEY_FILE}.new"
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    with fresh.open("w") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(data_dir / KEY_FILE)


def encrypt_anew(vault: Vault) -> int:
    """Encrypt everything saved with the vault's first key. Inside a transaction. Returns how many secrets there are, all of an adaptor's being
    one; raises `WrongKey`."""
    count = 0
    with connection.cursor() as cursor:
        for table, column in (("store_adaptor", "secrets"), ("store_apikey", "secret")):
            cursor.execute(f"SELECT name, {column} FROM {table} WHERE NOT {column} = ''")
            found = cursor.fetchall()
            count += len(found)
            cursor.executemany(
                f"UPDATE {table} SET {column} = %s WHERE name = %s",
                [(vault.close(vault.open(token)), name) for name, token in found],
            )
    return count


def digest(token: str) -> str:
    """What is stored of an API key."""
    return hashlib.sha256(token.encode()).hexdigest()
