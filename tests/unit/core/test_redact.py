"""Nothing that was saved as a secret is stored or logged in clear."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest

from oncue.core.redact import HIDDEN, Redactor, is_credential


def test_secrets_are_hidden_plain_and_url_encoded():
    secret = "s3cr&t/token+"
    redacted = Redactor([secret]).text(f"a={secret}&b={quote(secret, safe='')}")
    assert redacted == f"a={HIDDEN}&b={HIDDEN}"


def test_headers_that_carry_credentials_are_known():
    assert is_credential("Authorization") and is_credential("set-cookie") and not is_credential("Accept")


SECRET = 's3cr&t/"töken+?~'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"x{SECRET}y",
        urlencode({"token": SECRET}),
        json.dumps({"token": SECRET}),
        json.dumps({"token": SECRET}, ensure_ascii=False),
        *[
            base64.b64encode(("u" * before + SECRET + "v" * after).encode()).decode()
            for before in range(4)
            for after in range(3)
        ],
        base64.urlsafe_b64encode(f"\0user\0{SECRET}".encode()).decode(),
        urlencode({"auth": base64.b64encode(f"user:{SECRET}".encode()).decode()}),
    ],
)
def test_a_secret_is_hidden_however_it_is_written(text: str):
    redacted = Redactor([SECRET]).text(text)
    assert HIDDEN in redacted
    assert not any(
        part in redacted for part in ("s3cr", "töken", "t%C3%B6ken", base64.b64encode(SECRET.encode()).decode()[4:10])
    )


def test_the_password_within_an_address_is_a_secret_of_its_own():
    redactor = Redactor(["smtp+starttls://shop:p%40ss-word@smtp.example.com:587"])
    assert redactor.text("535 not p@ss-word, nor p%40ss-word") == f"535 not {HIDDEN}, nor {HIDDEN}"
    plain = base64.b64encode(b"\0shop\0p@ss-word").decode()
    assert plain[10:-4] not in redactor.text(f"AUTH PLAIN {plain}")


def test_what_is_too_short_to_be_told_from_any_word_is_left():
    assert Redactor(["abc", ""]).text("abcdef") == "abcdef"
