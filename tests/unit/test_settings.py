"""Settings: every one from the environment or a file; a misspelt one is an error."""

from pathlib import Path

import pytest

from oncue import settings
from oncue.settings import SettingsError


def test_everything_has_a_default():
    read = settings.read({})
    assert (read.host, read.port, read.public_url, read.log) == ("127.0.0.1", 8000, "", "console")
    assert read.database == Path("oncue-data").absolute() / "oncue.db"


def test_a_secret_can_stand_in_a_file(tmp_path: Path):
    file = tmp_path / "key"
    file.write_text("k" * 40 + "\n")
    assert settings.read({"ONCUE_SECRET_KEY_FILE": str(file)}).secret_key == "k" * 40


def test_the_public_url_has_no_trailing_slash():
    assert settings.read({"ONCUE_PUBLIC_URL": "https://x.example/oncue/"}).public_url == "https://x.example/oncue"


def test_origins_are_separated_by_commas():
    assert settings.read({}).allowed_origins == ("*",)
    given = {"ONCUE_ALLOWED_ORIGINS": "https://a.example/, http://localhost:3000"}
    assert settings.read(given).allowed_origins == ("https://a.example", "http://localhost:3000")


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"ONCUE_PRT": "1"}, "There is no setting ONCUE_PRT"),
        ({"ONCUE_PORT": "x"}, "ONCUE_PORT must be a number from 1 to 65535, not 'x'."),
        ({"ONCUE_PUBLIC_URL": "example.com"}, "ONCUE_PUBLIC_URL must be an address such as https://"),
        ({"ONCUE_PUBLIC_URL": "https://x/?a=1"}, "ONCUE_PUBLIC_URL must be an address"),
        ({"ONCUE_SECRET_KEY": "short"}, "ONCUE_SECRET_KEY must have at least 32 characters"),
        ({"ONCUE_ALLOWED_ORIGINS": "https://a.example, b.example"}, "'b.example' is not an origin such as https://"),
        ({"ONCUE_ALLOWED_ORIGINS": "https://a.example/shop"}, "is not an origin"),
        ({"ONCUE_LOG": "xml"}, "ONCUE_LOG must be one of json, console, not 'xml'."),
        ({"ONCUE_DATABASE_URL": "postgres://x"}, "keeps its data in SQLite only"),
        ({"ONCUE_STREAM_URL": "nats://x"}, "works without a stream"),
        ({"ONCUE_SECRET_KEY_FILE": "nowhere/at/all"}, "the file nowhere/at/all cannot be read"),
        ({"ONCUE_SECRET_KEY": "k" * 40, "ONCUE_SECRET_KEY_FILE": "pyproject.toml"}, "both set"),
    ],
)
def test_a_wrong_setting_is_a_sentence(environ: dict[str, str], says: str):
    with pytest.raises(SettingsError, match=says.replace("?", r"\?").replace("(", r"\(")):
        settings.read(environ)
