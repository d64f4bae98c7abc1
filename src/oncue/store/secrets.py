"""Secrets at rest: encrypted with Fernet under a key that never enters the database.

The key comes from `ONCUE_SECRET_KEY` (any long random text) or is generated into the data directory, readable by its owner only.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from oncue.core import ids


class WrongKey(Exception):
    """The saved secrets were encrypted under another key."""


class Vault:
    """Encrypts and decrypts maps of secrets."""

    def __init__(self, secret_key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret_key.encode()).digest()))

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


def key_in(data_dir: Path) -> str:
    """The key kept in the data directory, made on first use."""
    path = data_dir / "secret.key"
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(ids.secret(size=48))
        fresh.rename(path)
    return path.read_text().strip()


def digest(token: str) -> str:
    """What is stored of an API key."""
    return hashlib.sha256(token.encode()).hexdigest()
