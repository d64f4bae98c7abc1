"""TLS, signing in, what is kept of a conversation, and what `check` says."""

import asyncio
import base64
import os
import socket
from urllib.parse import quote

import mail
import msgspec
import pytest
from mail import PASSWORD, USER, config, exchange, mail_server, outgoing, send, told

from certificates import self_made
from oncue.adaptors.email import adaptor
from oncue.adaptors.email import send as sending
from oncue.core.outcome import Blame, Rejected, Retry, Submitted
from oncue.core.redact import HIDDEN
from oncue.workers.http import Client

NAME = "mail.example.com"
"""A name that the tests' resolver leads to loopback: a server elsewhere, whose certificate counts."""

LOGIN = f"{USER}:{quote(PASSWORD, safe='')}@"


@pytest.fixture
def elsewhere(monkeypatch):
    """The one thing that is not real: who answers for the name."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: look_up("127.0.0.1" if host == NAME else host, *rest, **more)
    )


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return self_made(tmp_path_factory.mktemp("tls"), NAME)


@pytest.fixture
def trusted(tls, monkeypatch):
    monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(tls[1]))


def check(url):
    return asyncio.run(adaptor.check(Client(), config(url)))


MODES = [("smtp", False, False), ("smtp", True, True), ("smtp+starttls", True, True), ("smtps", True, True)]


@pytest.mark.parametrize(("scheme", "offers", "encrypted"), MODES)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", NAME])
@pytest.mark.parametrize("login", ["", LOGIN])
def test_each_way_of_encrypting_works(tls, trusted, elsewhere, scheme, offers, encrypted, host, login):
    with mail_server(tls[0] if offers else None, implicit=scheme == "smtps") as kept:
        url = f"{scheme}://{login}{host}:{kept.port}"
        assert check(url).ok
        assert isinstance(send(config(url)), Submitted)
        assert kept.encrypted == [encrypted] and bool(kept.logins) == bool(login)


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
def test_a_certificate_that_nobody_vouches_for_is_refused_elsewhere_and_taken_from_this_machine(tls, elsewhere, scheme):
    with mail_server(tls[0], implicit=scheme == "smtps") as kept:
        for host in ("127.0.0.1", "localhost"):
            assert isinstance(send(config(f"{scheme}://{host}:{kept.port}")), Submitted)
        url = f"{scheme}://{LOGIN}{NAME}:{kept.port}"
        outcome, checked = send(config(url)), check(url)
    assert isinstance(outcome, Retry) and "certificate is not valid" in outcome.reason
    assert not checked.ok and "certificate is not valid (self-signed certificate)" in checked.sentence
    assert len(kept.messages) == 2 and not kept.logins


def test_a_certificate_of_somebody_else_is_refused(tls, trusted, monkeypatch):
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more))
    with mail_server(tls[0]) as kept:
        assert isinstance(send(config(f"smtp+starttls://smtp.other.example:{kept.port}")), Retry)
    assert not kept.messages


def test_where_encryption_is_required_nothing_is_sent_without():
    with mail_server() as kept:
        url = f"smtp+starttls://{LOGIN}127.0.0.1:{kept.port}"
        assert isinstance(send(config(url)), Retry)
        assert "STARTTLS" in check(url).sentence
    assert not kept.messages and not kept.logins


def test_a_wrong_password_is_the_account_s_fault():
    with mail_server() as kept:
        outcome = send(config(f"smtp://{USER}:wrong-password@127.0.0.1:{kept.port}"))
    assert isinstance(outcome, Rejected) and (outcome.blame, outcome.code) == (Blame.ACCOUNT, "535")
    assert kept.logins and not kept.messages


# What check says


def test_check_says_that_all_is_well_without_sending_anything():
    with mail_server() as kept:
        assert check(f"smtp://{LOGIN}127.0.0.1:{kept.port}").sentence == "127.0.0.1 takes e-mails."
    assert not kept.messages


def test_check_says_that_the_login_is_wrong():
    with mail_server() as kept:
        found = check(f"smtp://{USER}:wrong-password@127.0.0.1:{kept.port}")
    assert not found.ok and found.sentence.startswith("127.0.0.1 refuses the user name or password (535 ")
    assert "wrong-password" not in found.sentence


def test_check_says_that_nobody_is_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        found = check(f"smtp://{LOGIN}127.0.0.1:{port}")
    assert not found.ok and found.sentence.startswith(f"127.0.0.1:{port} cannot be used: ")
    assert PASSWORD not in found.sentence


def test_check_says_that_the_port_does_not_begin_with_tls():
    with mail_server() as kept:
        found = check(f"smtps://127.0.0.1:{kept.port}")
    assert not found.ok and "does not begin with TLS; write smtp+starttls://" in found.sentence


@pytest.mark.parametrize(
    ("answers", "says"), [({"HELLO": b"554 no thanks\r\n"}, "554 no thanks"), ({"NOOP": None}, "no answer in time")]
)
def test_check_says_that_the_server_turns_us_away(answers, says, monkeypatch):
    monkeypatch.setattr(sending, "DEADLINE", 1.5)
    script = mail.Script(answers)

    async def both():
        async with script.serving():
            return await adaptor.check(Client(), config(f"smtp://127.0.0.1:{script.port}"))

    found = asyncio.run(both())
    assert not found.ok and says in found.sentence


# What is kept


def secrets_of(password):
    plain = base64.b64encode(f"\0{USER}\0{password}".encode()).decode()
    return [password, quote(password, safe=""), base64.b64encode(password.encode()).decode(), plain]


def test_the_exchange_is_kept_as_those_over_http_are():
    with mail_server() as kept:
        given = config(f"smtp://{LOGIN}127.0.0.1:{kept.port}")
        http = exchange(given)
        send(given, outgoing(), http)
    (record,) = http.records
    assert record.pop("took_ms") > 0
    assert record.pop("request_body").startswith(
        "From: Shop <shop@example.com>\r\nTo: ann@example.com\r\nSubject: Booking 7"
    )
    assert record == {
        "method": "SMTP",
        "url": f"127.0.0.1:{kept.port}",
        "status": 250,
        "response_body": "OK kept as 42",
    }


@pytest.mark.parametrize("at", ["AUTH", "RCPT", "BODY"])
def test_a_server_that_repeats_the_password_does_not_make_us_keep_it(at):
    for secret in secrets_of(PASSWORD):
        for code in (250, 450, 550):
            outcome, _, http = told({at: f"{code} you said {secret}, did you?\r\n".encode()}, LOGIN)
            everything = msgspec.json.encode([http.records, outcome]).decode()
            assert not [one for one in secrets_of(PASSWORD) if one in everything], everything
            assert HIDDEN in everything or (at, code) == ("RCPT", 250), "unless nobody keeps what it said"


def test_a_refusal_is_kept_with_its_reason():
    outcome, script, http = told({"RCPT": b"550 5.1.1 nobody of that name\r\n"})
    (record,) = http.records
    assert record["error"] == outcome.reason == "127.0.0.1 said 550 5.1.1 nobody of that name"
    assert record["url"] == f"127.0.0.1:{script.port}"
