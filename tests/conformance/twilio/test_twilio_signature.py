"""Only what Twilio signed is believed: own code against the reference's vectors and against the official package (wild bugs 2 to 5, 22)."""

import hashlib
import random
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator
from twilio_cases import ACCOUNT, MESSAGE, TOKEN, posted, sign

from oncue.adaptors.twilio import adaptor
from oncue.core.adaptor import Heard, Refused, Request

READ = {one.name: one.read for one in adaptor.inbound}
STATUS = {
    "MessageSid": "SM" + "1" * 32,
    "MessageStatus": "sent",
    "To": "+16175551212",
    "From": "+15005550006",
    "AccountSid": ACCOUNT,
}


def call(config, url, form, signature, method="POST", body=None, kind="application/x-www-form-urlencoded"):
    headers = {"content-type": kind}
    if signature is not None:
        headers["x-twilio-signature"] = signature
    content = urlencode(form).encode() if body is None else body
    return READ["status"](config, Request(method=method, url=url, tail=MESSAGE, headers=headers, body=content))


BASE = "https://mycompany.com/myapp.php?foo=1&bar=2"
PORT = "https://mycompany.com:{}/myapp.php?foo=1&bar=2"
CALL = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
DOCS = [(name, value.replace("5309", "5310")) for name, value in CALL]


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        (BASE, CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (PORT.format(443), CALL, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com:80/myapp.php?foo=1&bar=2", CALL, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", CALL, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        (
            BASE,
            [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")],
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
    ],
)
def test_the_reference_s_vectors_are_verified_and_nothing_else(config, url, form, signature):
    """They are no status callbacks and of no account of ours, so what is verified is refused for that, and what is not for its signature."""
    verified = call(config, url, form, signature)
    forged = call(config, url, [*form, ("x", "y")], signature)
    assert isinstance(verified, Refused) and isinstance(forged, Refused)
    assert "signature" not in verified.reason.lower() and "signature" in forged.reason.lower()
    assert forged.status == 403


@pytest.mark.parametrize(
    ("signed", "ours", "is_ours"),
    [
        (PORT.format(443), BASE, True),
        (BASE, PORT.format(443), True),
        ("https://mycompany.com/a", "https://mycompany.com:8443/a", True),
        ("http://mycompany.com:80/a", "http://mycompany.com/a", True),
        ("https://mycompany.com:8443/a", "https://mycompany.com/a", False),
        ("http://mycompany.com/a", "https://mycompany.com/a", False),
    ],
)
def test_twilio_keeps_the_port_or_drops_it(config, signed, ours, is_ours):
    """Which of them depends on product and scheme; the official package allows for the same."""
    signature = RequestValidator(TOKEN).compute_signature(signed, STATUS)
    assert RequestValidator(TOKEN).validate(ours, STATUS, signature) == is_ours
    assert isinstance(call(config, ours, list(STATUS.items()), signature), Heard) == is_ours


def test_the_reference_s_json_vector_is_verified_and_its_hash_checked(config):
    body = b'{"property": "value", "boolean": true}'
    url = f"{BASE}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    right = "a9nBmqA0ju/hNViExpshrM61xv4="
    verified = call(config, url, [], right, body=body, kind="application/json")
    other = call(config, url, [], right, body=body + b" ", kind="application/json")
    assert "signature does not" not in verified.reason and "body" not in verified.reason.lower()
    assert other.status == 403 and "body" in other.reason.lower()


def test_a_form_with_a_body_hash_in_its_url_has_the_hash_checked(config):
    """The official package returns True for this."""
    url = f"https://oncue.example.com/hooks/twilio/status/{MESSAGE}?bodySHA256={'0' * 64}"
    signature = sign(url, list(STATUS.items()))
    assert RequestValidator(TOKEN).validate(url, STATUS, signature)
    assert call(config, url, STATUS, signature).status == 403


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json"])
def test_a_body_that_nothing_covers_is_refused(config, kind):
    """All that a callback needs is in the signed query, so nothing but the body can be what is wrong."""
    url = f"https://oncue.example.com/hooks/twilio/status?{urlencode(STATUS)}"
    assert isinstance(call(config, url, [], sign(url, []), body=b"", kind=kind), Heard)
    assert call(config, url, [], sign(url, []), body=b"{}", kind=kind).status == 403


@pytest.mark.parametrize("signature", [None, "", "x", "====", "é\udc80", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "a" * 10_000])
def test_missing_empty_and_malformed_signatures_are_403(config, signature):
    assert READ["status"](config, posted("status", STATUS, tail=MESSAGE, signature=signature)).status == 403
    assert READ["message"](config, posted("message", STATUS, signature=signature)).status == 403


def test_the_right_account_and_message_id_prove_nothing(config):
    forged = READ["status"](config, posted("status", STATUS, token="guess", tail=MESSAGE))
    assert isinstance(forged, Refused) and forged.status == 403


def test_another_account_s_callback_is_refused_though_signed(config):
    other = {**STATUS, "AccountSid": "AC" + "1" * 32}
    assert READ["status"](config, posted("status", other, tail=MESSAGE)).status == 403


def test_an_api_key_does_not_change_what_verifies(config):
    config.update(api_key_sid="SK" + "0" * 32, api_key_secret="key secret")
    assert isinstance(READ["status"](config, posted("status", STATUS, tail=MESSAGE)), Heard)
    assert READ["status"](config, posted("status", STATUS, token="key secret", tail=MESSAGE)).status == 403


def test_either_token_verifies_while_they_are_rotated(config):
    config["auth_token_secondary"] = "next"
    for token in (TOKEN, "next"):
        assert isinstance(READ["status"](config, posted("status", STATUS, token=token, tail=MESSAGE)), Heard)


@pytest.mark.parametrize("token", ["", None])
def test_no_token_fails_closed(config, token):
    config["auth_token"] = token
    assert READ["status"](config, posted("status", STATUS, token="", tail=MESSAGE)).status == 403


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize(
    "host", ["oncue.example.com", "oncue.example.com:443", "oncue.example.com:80", "oncue.example.com:8443"]
)
@pytest.mark.parametrize("path", ["/hooks/twilio/status/1", "/hooks/twilio/status/1/", "/a%20b/%C3%A9?x=%2B&y=", "/p?"])
@pytest.mark.parametrize("fragment", ["", "#rc=5&rp=all"])
def test_the_url_counts_as_it_was_given_without_its_fragment(config, scheme, host, path, fragment):
    url = f"{scheme}://{host}{path}"
    assert isinstance(call(config, url + fragment, STATUS, sign(url, list(STATUS.items()))), Heard)
    other = url.replace("oncue", "other")
    assert isinstance(call(config, url, STATUS, sign(other, list(STATUS.items()))), Refused)


def test_user_info_is_not_signed(config):
    url = "https://oncue.example.com/hooks"
    assert isinstance(call(config, url.replace("//", "//name:word@"), STATUS, sign(url, list(STATUS.items()))), Heard)


def test_the_official_validator_agrees_on_forms_of_every_kind(config):
    chance = random.Random(8)
    alphabet = "aB1 +&=%é😀\n"
    for _ in range(200):
        form = {
            **STATUS,
            **{
                "".join(chance.choices("abcXYZ", k=3)): "".join(chance.choices(alphabet, k=chance.randrange(6)))
                for _ in range(4)
            },
        }
        url = f"https://oncue.example.com{chance.choice(['', ':443', ':9000'])}/hooks/twilio/status/{MESSAGE}"
        signature = RequestValidator(TOKEN).compute_signature(url, form)
        assert isinstance(call(config, url, form, signature), Heard)
        assert RequestValidator(TOKEN).validate(url, form, signature)
