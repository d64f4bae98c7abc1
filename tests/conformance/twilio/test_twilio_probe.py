"""The callback check calls as Twilio does: signed so that the official package believes it, about no message there is."""

from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator
from twilio_cases import ACCOUNT, TOKEN

from oncue.adaptors.twilio import adaptor
from oncue.core import ids
from oncue.core.adaptor import Heard, Request, Status

STATUS = next(one.read for one in adaptor.inbound if one.name == "status")
ADDRESSES = [
    "https://oncue.example.com/hooks/twilio/status",
    "https://oncue.example.com:8443/below/hooks/twilio/status",
    "http://127.0.0.1:8000/hooks/twilio/status",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_the_official_package_believes_its_signature(config, url):
    probe = adaptor.probe(config, url)
    form = dict(parse_qsl(probe.body.decode()))
    assert RequestValidator(TOKEN).validate(probe.url, form, probe.headers["X-Twilio-Signature"])
    assert not RequestValidator("another").validate(probe.url, form, probe.headers["X-Twilio-Signature"])


@pytest.mark.parametrize("url", ADDRESSES)
def test_our_own_door_hears_it_and_finds_no_message_in_it(config, url):
    probe = adaptor.probe(config, url)
    tail = probe.url.removeprefix(f"{url}/")
    headers = {name.lower(): value for name, value in probe.headers.items()}
    heard = STATUS(config, Request(method=probe.method, url=probe.url, tail=tail, headers=headers, body=probe.body))
    assert isinstance(heard, Heard)
    (report,) = heard.reports
    assert isinstance(report, Status)
    assert not ids.is_id(tail)
    assert report.message_id == "" and report.provider_id == "SM" + "0" * 32
    assert report.raw["AccountSid"] == ACCOUNT
