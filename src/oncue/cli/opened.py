"""What every command begins with: the settings, and the store opened."""

from __future__ import annotations

import msgspec

from oncue import adaptors, asgi, settings
from oncue.cli.terminal import fail, sentences
from oncue.core.adaptor import Adaptor
from oncue.settings import Settings, SettingsError
from oncue.store.secrets import Vault


class Opened(msgspec.Struct, frozen=True):
    """An opened installation."""

    settings: Settings
    vault: Vault
    catalogue: dict[str, Adaptor]


def read_settings() -> Settings:
    """The settings, or a sentence and exit 1."""
    with sentences(SettingsError):
        return settings.read()


def open_installation(given: Settings | None = None) -> Opened:
    """Open the data directory that the settings name, making it on first use."""
    given = given or read_settings()
    try:
        vault = asgi.open_store(given)
    except OSError as error:
        fail(
            f"The data directory {given.data_dir} cannot be used ({error.strerror}); set ONCUE_DATA_DIR to one that can be written."
        )
    return Opened(given, vault, adaptors.load())
