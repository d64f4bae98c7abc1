"""Nothing that was saved as a secret is stored or logged in clear."""

from urllib.parse import quote

from oncue.core.redact import HIDDEN, Redactor, headers


def test_secrets_are_hidden_plain_and_url_encoded():
    secret = "s3cr&t/token+"
    redacted = Redactor([secret]).text(f"a={secret}&b={quote(secret, safe='')}")
    assert redacted == f"a={HIDDEN}&b={HIDDEN}"


def test_headers_that_carry_credentials_are_blanked():
    assert headers({"Authorization": "Basic abc", "Accept": "x"}) == {"Authorization": HIDDEN, "Accept": "x"}
