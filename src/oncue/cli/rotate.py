"""`oncue rotate-secrets`: another key for what is saved encrypted."""

from __future__ import annotations

from django.db import transaction

from oncue.cli.opened import open_installation, read_settings
from oncue.cli.terminal import fail, say, sentences
from oncue.core import ids
from oncue.store import audit, database, secrets
from oncue.store.secrets import Vault, WrongKey


def rotate_secrets() -> None:
    """Encrypt the saved secrets anew, under another key. oncue must not be running. A crash at any point loses nothing: run it again."""
    settings = read_settings()
    if settings.secret_key and not settings.secret_key_before:
        fail(
            "ONCUE_SECRET_KEY holds the key, so the new one is yours to make: set ONCUE_SECRET_KEY to it and ONCUE_SECRET_KEY_BEFORE to"
            " the one before, and run this again."
        )
    opened = open_installation(settings)
    with sentences(database.InUse), database.lock(settings.data_dir):
        vault = opened.vault
        fresh = ""
        if not settings.secret_key:
            fresh, *before = ids.secret(size=48), *secrets.keys_in(settings.data_dir)
            secrets.keep(settings.data_dir, fresh, *before)
            vault = Vault(fresh, *before)
        with sentences(WrongKey), transaction.atomic():
            count = secrets.encrypt_anew(vault)
            audit.record(audit.COMMAND_LINE, "changed", "setting", "secret key")
        if fresh:
            secrets.keep(settings.data_dir, fresh)
    say(f"What is secret of {count} adaptors and keys is encrypted under the new key.")
    say(
        "The new key is in secret.key, in the data directory: have it where your backups are not."
        if fresh
        else "Unset ONCUE_SECRET_KEY_BEFORE now. Backups made before need the key before."
    )
