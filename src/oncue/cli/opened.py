"""What every command begins with: the settings, and the store opened."""

from __future__ import annotations

import atexit
import tempfile
from pathlib import Path

import msgspec

from oncue import adaptors, asgi, settings
from oncue.cli.terminal import err, escaped, fail, sentences
from oncue.core.adaptor import Adaptor
from oncue.settings import Settings, SettingsError
from oncue.store.database import WrongSchema
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


def open_installation(given: Settings | None = None, *, make: bool = False) -> Opened:
    """Open the data directory that the settings name. What begins something may `make` it, and says so; for all else, that there is none
    is a sentence and exit 1: a directory made in silence would hide that the wrong one was named."""
    given = given or read_settings()
    if not make:
        need_data(given)
    is_new = not given.data_dir.exists()
    try:
        with sentences(WrongSchema):
            vault = asgi.open_store(given)
    except OSError as error:
        fail(
            f"The data directory {given.data_dir} cannot be used ({error.strerror}); set ONCUE_DATA_DIR to one that can be written."
        )
    if is_new and given.log == "console":
        err.print(f"Made the data directory {escaped(str(given.data_dir))}.", soft_wrap=True)
    return Opened(given, vault, adaptors.load())


def open_to_look() -> Opened:
    """The same for what may look before anything has begun: where there is no data, none is made, and it is taken as empty."""
    given = read_settings()
    if given.database.exists():
        return open_installation(given)
    err.print(escaped(f"There is no data of oncue in {given.data_dir} yet; it is taken as empty."), soft_wrap=True)
    passing = tempfile.TemporaryDirectory(prefix="oncue-")
    atexit.register(passing.cleanup)
    return open_installation(msgspec.structs.replace(given, data_dir=Path(passing.name)), make=True)


def need_data(given: Settings) -> None:
    """A sentence and exit 1 unless the data directory holds data."""
    if given.database.exists():
        return
    demo = given.data_dir.with_name(f"{given.data_dir.name}-demo")
    hint = f" The demo's is {demo}." if demo.exists() else ""
    fail(
        f"There is no data of oncue in {given.data_dir}. If it is elsewhere, set ONCUE_DATA_DIR.{hint}"
        " To begin: `oncue serve` or `oncue apply FILE`."
    )
