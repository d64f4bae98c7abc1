"""Settings: read once from the environment, checked, and passed down as values. Only doors read them.

Every setting `ONCUE_X` may be given as `ONCUE_X_FILE`, the path of a file that holds it. An `ONCUE_` name that is not a setting is an
error: a misspelt one would otherwise be ignored in silence.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec


class SettingsError(Exception):
    """A setting is wrong; the text says which and what to do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator has set."""

    data_dir: Path
    public_url: str
    """What providers call, without a trailing slash; empty: statuses and replies are polled."""
    secret_key: str
    secret_key_before: str = ""
    """Decrypts what the other key did not encrypt, while one takes the place of the other."""
    host: str
    port: int
    log: str
    allowed_origins: tuple[str, ...] = ("*",)
    """Whose pages may send events with the SDKs of browsers; `*` is everybody's."""

    @property
    def database(self) -> Path:
        """The one file of data."""
        return self.data_dir / "oncue.db"


KNOWN = {
    "ONCUE_DATA_DIR": "where oncue keeps its data and generated secrets (default ./oncue-data)",
    "ONCUE_DATABASE_URL": "the database; SQLite in the data directory is the only one for now",
    "ONCUE_STREAM_URL": "the stream; there is none for now",
    "ONCUE_PUBLIC_URL": "the address that providers call, such as https://oncue.example.com; unset, statuses and replies are polled",
    "ONCUE_SECRET_KEY": "encrypts saved secrets; generated into the data directory if unset",
    "ONCUE_SECRET_KEY_BEFORE": "while you change ONCUE_SECRET_KEY: the key before it, which still decrypts",
    "ONCUE_HOST": "the address to listen on (default 127.0.0.1)",
    "ONCUE_PORT": "the port to listen on (default 8000)",
    "ONCUE_ALLOWED_ORIGINS": "websites whose pages may send events with Segment's and Swrve's SDKs, such as https://shop.example.com, separated by commas (default *: all)",
    "ONCUE_LOG": "json or console (default console)",
}
"""Every setting, with its sentence."""


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. Raises `SettingsError`."""
    given = _given(os.environ if environ is None else environ)
    database_url = given.get("ONCUE_DATABASE_URL", "")
    if database_url and not database_url.startswith("sqlite:"):
        raise SettingsError(
            "ONCUE_DATABASE_URL: this version keeps its data in SQLite only; unset it (the file is in ONCUE_DATA_DIR)."
        )
    if given.get("ONCUE_STREAM_URL"):
        raise SettingsError("ONCUE_STREAM_URL: this version works without a stream; unset it.")
    data_dir = Path(given.get("ONCUE_DATA_DIR", "oncue-data")).absolute()
    return Settings(
        data_dir=data_dir,
        public_url=_public_url(given.get("ONCUE_PUBLIC_URL", "")),
        secret_key=_secret_key(given.get("ONCUE_SECRET_KEY", "")),
        secret_key_before=given.get("ONCUE_SECRET_KEY_BEFORE", ""),
        host=given.get("ONCUE_HOST", "127.0.0.1"),
        port=_port(given.get("ONCUE_PORT", "8000")),
        allowed_origins=_origins(given.get("ONCUE_ALLOWED_ORIGINS", "*")),
        log=_choice("ONCUE_LOG", given.get("ONCUE_LOG", "console"), ("json", "console")),
    )


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in environ.items():
        if not name.startswith("ONCUE_"):
            continue
        setting = name.removesuffix("_FILE")
        if name not in KNOWN and setting not in KNOWN:
            raise SettingsError(
                f"There is no setting {name}; there are: {', '.join(KNOWN)} (each also as …_FILE). Unset it or mend its name."
            )
        if name in KNOWN:
            text = value
        else:
            try:
                text = Path(value).read_text()
            except OSError as error:
                raise SettingsError(f"{name}: the file {value} cannot be read ({error.strerror}).") from None
        if setting in given:
            raise SettingsError(f"{setting} and {setting}_FILE are both set; unset one of them.")
        given[setting] = text.strip()
    return {name: value for name, value in given.items() if value}


def _public_url(text: str) -> str:
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"ONCUE_PUBLIC_URL must be an address such as https://oncue.example.com, not {text!r}.")
    return text.rstrip("/")


def _origins(text: str) -> tuple[str, ...]:
    found = tuple(one.strip().rstrip("/") for one in text.split(",") if one.strip())
    for one in found:
        parts = urlsplit(one)
        if one != "*" and (
            parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment
        ):
            raise SettingsError(
                f"ONCUE_ALLOWED_ORIGINS: {one!r} is not an origin such as https://shop.example.com, nor *."
            )
    return found


def _secret_key(text: str) -> str:
    if text and len(text) < 32:
        raise SettingsError("ONCUE_SECRET_KEY must have at least 32 characters; make one with: openssl rand -base64 48")
    return text


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise SettingsError(f"ONCUE_PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise SettingsError(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text
