"""What a rule may not make oncue call or say, however it is written."""

import asyncio
import socket

import pytest

from oncue.adaptors.webhook import adaptor
from oncue.core import clock, fields
from oncue.core.adaptor import Impossible, Outgoing, Prepared
from oncue.core.outcome import Blame, Rejected, Retry, Submitted
from oncue.workers.http import Client
from wire import ok, serving

ACTION = adaptor.actions[0]
CLOSED = {"allow_private_addresses": False, "messages_per_second": 0}
OPEN = {**CLOSED, "allow_private_addresses": True}


def call(config, url, **more):
    """(what is said of the request, how many connections reached a server of ours)."""

    async def act():
        client = Client()
        async with serving(ok) as wire:
            given = {"method": "POST", "url": url.format(port=wire.port), **more}
            values, faults = fields.read(ACTION.fields, given)
            found = Impossible(faults[0].field, faults[0].sentence) if faults else ACTION.prepare(config, values, {})
            if isinstance(found, Prepared):
                message = Outgoing(
                    id="0" * 32, attempt=1, fields=found.fields, recipient="", send_by=clock.now() + clock.HOUR
                )
                found = await ACTION.send(client, config, message)
            await client.close()
            return found, wire.connections

    return asyncio.run(act())


INSIDE = [
    "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/", "http://0177.0.0.1:{port}/", "http://2130706433:{port}/", "http://0:{port}/", "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/", "http://[::]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[0:0:0:0:0:ffff:7f00:1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/", "http://①②⑦.⓪.⓪.①:{port}/", "http://１２７.0.0.1:{port}/", "http://127。0。0。1:{port}/",
    "https://127.0.0.1:{port}/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/",
    "http://100.64.0.1/", "http://[fe80::1]/", "http://[fd00:ec2::254]/latest/",
]  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
def test_an_address_inside_is_refused_for_good_and_never_connected_to(url):
    found, connections = call(CLOSED, url)
    assert isinstance(found, Rejected) and found.blame is Blame.MESSAGE, found
    assert "not public" in found.reason and connections == 0


@pytest.mark.parametrize("url", ["http://localhost:{port}/", "http://127.0.0.1:{port}/"])
def test_the_setting_lets_a_rule_call_it(url):
    found, connections = call(OPEN, url)
    assert isinstance(found, Submitted) and connections == 1


@pytest.mark.parametrize("inside", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
@pytest.mark.parametrize("beside", [[], ["1.1.1.1"]])
def test_a_name_that_leads_inside_is_refused_for_good(inside, beside, monkeypatch):
    def look_up(host, port, *_, **__):
        assert host == "innocent.example"
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (one, port, 0, 0) if ":" in one else (one, port),
            )
            for one in [*beside, inside]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    found, connections = call(CLOSED, "http://innocent.example:{port}/")
    assert isinstance(found, Rejected) and f"innocent.example leads to {inside}" in found.reason
    assert connections == 0


def test_a_name_that_is_not_found_is_tried_again(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert isinstance(call(CLOSED, "http://nowhere.example/")[0], Retry)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://127.0.0.1:{port}/", "ftp://example.com/", "//example.com/", "example.com", "javascript:1", "http://", "http:///x",
     "http://exa mple.com/", "http://[::1/", "http://example.com:port/", "http://example.com:99999/", "data:,x", "http://a\r\nX-Y: z/"],
)  # fmt: skip
@pytest.mark.parametrize("config", [CLOSED, OPEN], ids=["closed", "open"])
def test_what_is_no_web_address_is_refused_for_good_with_a_sentence(url, config):
    found, connections = call(config, url)
    sentence = found.sentence if isinstance(found, Impossible) else found.reason
    assert isinstance(found, Impossible | Rejected) and sentence.endswith("."), found
    assert connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://user:password@example.com/",
        "http://user@127.0.0.1:{port}/",
        "http://example.com\\@127.0.0.1:{port}/",
        "https://a%40b:c@example.com/?x",
        "http://@h.example/",
    ],
)
@pytest.mark.parametrize("config", [CLOSED, OPEN], ids=["closed", "open"])
def test_a_password_in_an_address_is_refused_with_what_to_do_and_not_repeated(url, config):
    found, connections = call(config, url)
    assert isinstance(found, Impossible) and found.field == "url" and "use an Authorization header" in found.sentence
    assert "password@" not in found.sentence and connections == 0
    assert [fault.field for fault in ACTION.check(config, {"url": url})] == ["url"], "and when the rule is saved"


def test_an_at_sign_further_on_is_no_password():
    assert isinstance(call(OPEN, "http://127.0.0.1:{port}/@ann?to=ann@example.com")[0], Submitted)


RESERVED = [
    "Host",
    "content-length",
    "Transfer-Encoding",
    "Connection",
    "Webhook-Id",
    "webhook-timestamp",
    "WEBHOOK-SIGNATURE",
]


@pytest.mark.parametrize("name", RESERVED)
def test_a_header_that_is_ours_to_set_is_refused(name):
    found, connections = call(OPEN, "http://127.0.0.1:{port}/", headers={name: "x"})
    assert found == Impossible("headers", f"oncue sets the header {name} itself; leave it out.") and connections == 0
    assert [fault.field for fault in ACTION.check(OPEN, {"headers": {name: "x"}})] == ["headers"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "1\r\nX-B: 2"},
        {"X-A": "1\n2"},
        {"X-A": "\0"},
        {"X-A\r\nX-B": "1"},
        {"X A": "1"},
        {"": "1"},
        {"X:A": "1"},
    ],
    ids=repr,
)
def test_a_header_that_would_smuggle_in_another_is_refused(headers):
    found, connections = call(OPEN, "http://127.0.0.1:{port}/", headers=headers)
    assert isinstance(found, Impossible) and found.field == "headers" and found.sentence.endswith(".")
    assert connections == 0


def test_two_bodies_are_refused():
    found, _ = call(OPEN, "http://127.0.0.1:{port}/", json={"a": 1}, form={"a": "1"})
    assert isinstance(found, Impossible) and found.sentence == "A request has a JSON body or a form body, not both."


def test_each_host_is_paced_by_itself():
    lanes = {
        url: ACTION.prepare({**OPEN, "messages_per_second": 3}, {"url": url}, {}).lane
        for url in ("https://A.example/x", "https://a.example/y?z", "https://b.example/x", "https://a.example:8443/")
    }
    assert lanes["https://A.example/x"] == lanes["https://a.example/y?z"]
    assert len({lane.key for lane in lanes.values()}) == 3 and all(lane.per_second == 3 for lane in lanes.values())


@pytest.mark.parametrize(
    ("secret", "good"),
    [
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", True),
        ("c2VjcmV0", True),
        ("", True),
        ("whsec_", False),
        ("whsec_x", False),
        ("whsec_ö", False),
    ],
)
def test_a_signing_secret_is_checked_when_it_is_configured(secret, good):
    found = adaptor.check_config({**OPEN, "signing_secret": secret})
    assert [fault.field for fault in found] == ([] if good else ["signing_secret"])
    assert [field.name for field in adaptor.config if field.is_secret] == ["signing_secret"]
