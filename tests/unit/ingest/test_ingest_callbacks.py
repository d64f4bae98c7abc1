"""Providers' calls: verified against the public URL as configured, whatever stands in front of oncue."""

from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from inside import ACCOUNT, CANARY, Inside, opened

ANN = "+16175551212"


def accepted(one: Inside) -> str:
    """A message that the carrier has."""
    one.event("ann", "booked", user_properties={"phone_number": ANN})
    return one.submit_claimed()[0]


def form(status: str = "delivered") -> dict[str, str]:
    return {"MessageSid": "SM" + "0" * 32, "MessageStatus": status, "AccountSid": ACCOUNT, "To": ANN, "From": "+15005550006"}  # fmt: skip


def signed(url: str, given: dict[str, str], token: str = CANARY) -> dict[str, str]:
    """Headers as the carrier sends them, by the official package."""
    signature = RequestValidator(token).compute_signature(url, given)
    return {"content_type": "application/x-www-form-urlencoded", "x_twilio_signature": signature}


PUBLIC = [
    "https://oncue.example.com",
    "http://oncue.example.com",
    "https://oncue.example.com:8443",
    "http://127.0.0.1:8000",
    "https://example.com/below/oncue",
]


@pytest.mark.parametrize("public_url", PUBLIC)
@pytest.mark.parametrize("query", ["", "?ref=1&a=%20b"], ids=["plain", "query"])
def test_forwarded_headers_change_nothing(tmp_path, public_url, query):
    """Wild bug 5: behind a proxy that ends TLS, on any port, with lying or missing headers, only the public URL counts."""
    for one in opened(Inside(tmp_path, public_url=public_url)):
        path = f"/hooks/twilio/status/{accepted(one)}{query}"
        body = urlencode(form()).encode()
        lies = {"x_forwarded_proto": "http", "x_forwarded_host": "evil.example", "x_forwarded_port": "1", "host": "10.0.0.1:8000", "forwarded": "host=evil.example;proto=http"}  # fmt: skip
        assert one.call("POST", path, body, **signed(public_url + path, form()), **lies).status == 200
        assert one.events("ann")[-1] == "twilio.delivered"
        for wrong in ("http://evil.example", "https://oncue.example.org", public_url + "/"):
            assert one.call("POST", path, body, **signed(wrong + path, form("read")), **lies).status == 403
        assert "twilio.read" not in one.events("ann")


def test_a_forged_call_with_the_right_account_and_message_is_403_and_changes_nothing(inside):
    """Wild bug 4."""
    message = accepted(inside)
    path = f"/hooks/twilio/status/{message}"
    body = urlencode(form()).encode()
    for headers in (
        {"content_type": "application/x-www-form-urlencoded"},
        signed("https://oncue.example.com" + path, form(), token="guessed"),
        signed("https://oncue.example.com" + path, {**form(), "MessageStatus": "sent"}),
    ):
        assert inside.call("POST", path, body, **headers).status == 403
    assert "twilio.delivered" not in inside.events("ann")


def test_the_signature_of_one_message_does_not_serve_for_another(inside):
    first, second = accepted(inside), accepted(inside)
    headers = signed(f"https://oncue.example.com/hooks/twilio/status/{first}", form())
    assert inside.call("POST", f"/hooks/twilio/status/{second}", urlencode(form()).encode(), **headers).status == 403


def test_without_a_public_url_nothing_is_verified_and_so_nothing_is_heard(tmp_path):
    for one in opened(Inside(tmp_path, public_url="")):
        answer = one.call("POST", f"/hooks/twilio/status/{accepted(one)}", urlencode(form()).encode())
        assert answer.status == 404 and "oncue polls instead" in answer.sentence
