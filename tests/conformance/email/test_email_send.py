"""One e-mail over a real mail server, and what each end of a conversation comes to."""

import socket

import mail
import pytest
from mail import MESSAGE, Kept, config, mail_server, outgoing, send, told

from oncue.adaptors.email import send as sending
from oncue.core.adaptor import Prepared
from oncue.core.outcome import Blame, Rejected, Retry, Submitted, Unknown


def sent(given=None, **fields) -> Kept:
    """Prepared, sent, and taken by a real server."""
    with mail_server() as kept:
        given = config(f"smtp://127.0.0.1:{kept.port}", **(given or {}))
        prepared = sending.prepare(given, {**mail.FIELDS, **fields}, {})
        assert isinstance(prepared, Prepared), prepared
        outcome = send(given, outgoing(**{**prepared.fields, "to": prepared.recipient}))
        assert isinstance(outcome, Submitted), outcome
        assert (outcome.status, outcome.provider_id) == ("sent", kept.messages[0]["Message-ID"])
    return kept


def test_a_text_arrives():
    kept = sent()
    (letter,) = kept.messages
    assert kept.envelopes == [("shop@example.com", ["ann@example.com"])]
    assert (letter["From"], letter["To"], letter["Subject"]) == (
        "Shop <shop@example.com>",
        "ann@example.com",
        "Booking 7",
    )
    assert letter.get_content_type() == "text/plain" and letter.get_content().strip() == "It is confirmed."
    assert letter["Date"].datetime and letter["Reply-To"] is None


def test_text_and_html_are_alternatives_the_better_last():
    (letter,) = sent(html="<p>It is <b>confirmed</b>.</p>").messages
    assert letter.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in letter.iter_parts()] == [
        "It is confirmed.",
        "<p>It is <b>confirmed</b>.</p>",
    ]


def test_html_alone_is_html():
    (letter,) = sent(text="", html="<p>Grüße</p>").messages
    assert letter.get_content_type() == "text/html" and letter.get_content().strip() == "<p>Grüße</p>"


def test_a_rule_s_from_and_reply_to_stand_before_the_adaptor_s():
    (letter,) = sent({"reply_to": "help@example.com"}).messages
    assert letter["Reply-To"] == "help@example.com"
    kept = sent(
        {"reply_to": "help@example.com"}, **{"from": "Desk <desk@example.com>", "reply_to": "Bob <bob@example.com>"}
    )
    assert (kept.messages[0]["From"], kept.messages[0]["Reply-To"]) == (
        "Desk <desk@example.com>",
        "Bob <bob@example.com>",
    )
    assert kept.envelopes[0][0] == "desk@example.com"


@pytest.mark.parametrize(
    "subject",
    [
        "Buchung bestätigt 🎉",
        "予約が確認されました",
        "what =? nothing",
        "x" * 900,
        "ü" * 300,
        'a "b" <c> \\d',
        "tab\there",
    ],
)
def test_a_subject_arrives_as_it_was_written(subject):
    kept = sent(subject=subject)
    assert "".join(kept.messages[0]["Subject"].split()) == "".join(subject.split())
    assert kept.raw[0].isascii()


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("shop@example.com", "", "shop@example.com"),
        ("Gäste & Co <shop@example.com>", "Gäste & Co", "shop@example.com"),
        ('"Shop, Inc." <shop@example.com>', "Shop, Inc.", "shop@example.com"),
        ("Shop, Inc. <shop@example.com>", "Shop, Inc.", "shop@example.com"),
        ("店 🛒 <shop@example.com>", "店 🛒", "shop@example.com"),
        ("Shop <shop@bücher.example>", "Shop", "shop@xn--bcher-kva.example"),
    ],
)
def test_names_and_domains_of_any_script_are_written_for_every_server(written, name, address):
    for kept in (sent(**{"from": written}), sent({"from": written})):
        (sender,) = kept.messages[0]["From"].addresses
        assert (sender.display_name, sender.addr_spec) == (name, address)
        assert kept.envelopes[0][0] == address and kept.raw[0].isascii()
        assert kept.messages[0]["Message-ID"] == f"<{MESSAGE}@{address.partition('@')[2]}>"


@pytest.mark.parametrize(
    "text",
    [
        "Hello.\n.\n..\n.hidden\nend", "grüße\n" * 200, "x" * 5_000, "From the start", "😀" * 50_000, "a\r\nb\rc\nd", " ",
        "x" * 200_000,
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_a_body_arrives_whole(text):
    kept = sent(text=text)
    assert kept.messages[0].get_content().splitlines() == text.splitlines()
    assert kept.raw[0].isascii() and max(map(len, kept.raw[0].split(b"\r\n"))) <= 998


def test_the_message_id_is_the_same_on_every_attempt_and_is_our_message_s():
    with mail_server() as kept:
        given = config(f"smtp://127.0.0.1:{kept.port}")
        outcomes = [send(given, outgoing(attempt)) for attempt in (1, 2)]
    assert {letter["Message-ID"] for letter in kept.messages} == {f"<{MESSAGE}@example.com>"}
    assert {outcome.provider_id for outcome in outcomes} == {f"<{MESSAGE}@example.com>"}


# What each end of a conversation comes to

LOGIN = "shop:password@"


@pytest.mark.parametrize("code", [421, 450, 451, 452])
@pytest.mark.parametrize("at", ["HELLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY"])
def test_4xx_is_tried_again(at, code):
    outcome, _, _ = told({at: b"%d not now\r\n" % code}, LOGIN)
    assert isinstance(outcome, Retry) and f"{code} not now" in outcome.reason


@pytest.mark.parametrize(
    ("at", "code", "blame"),
    [
        ("AUTH", 535, Blame.ACCOUNT),
        ("AUTH", 534, Blame.ACCOUNT),
        ("MAIL", 553, Blame.SENDER),
        ("MAIL", 550, Blame.SENDER),
        ("MAIL", 530, Blame.ACCOUNT),
        ("RCPT", 550, Blame.RECIPIENT),
        ("RCPT", 551, Blame.RECIPIENT),
        ("DATA", 554, Blame.MESSAGE),
        ("BODY", 552, Blame.MESSAGE),
        ("BODY", 554, Blame.MESSAGE),
    ],
)
def test_5xx_is_final_and_blames_what_was_refused(at, code, blame):
    outcome, script, _ = told({at: b"%d-5.7.1 go\r\n%d 5.7.1 away\r\n" % (code, code)}, LOGIN)
    assert isinstance(outcome, Rejected)
    assert (outcome.blame, outcome.code) == (blame, str(code))
    assert outcome.reason == f"127.0.0.1 said {code} 5.7.1 go 5.7.1 away"
    assert script.bodies == (at == "BODY")


@pytest.mark.parametrize("answer", [b"", None], ids=["dropped", "hangs"])
@pytest.mark.parametrize("at", ["HELLO", "EHLO", "AUTH", "MAIL", "RCPT"])
def test_what_breaks_before_the_content_is_tried_again(at, answer, monkeypatch):
    monkeypatch.setattr(sending, "DEADLINE", 0.2)
    outcome, script, _ = told({at: answer}, LOGIN)
    assert isinstance(outcome, Retry), outcome
    assert script.bodies == 0


@pytest.mark.parametrize(
    "answer",
    [b"", None, b"whatever\r\n", b"\xff\xfe\r\n", b"200 hm\r\n", b"354 more\r\n", b"999 what\r\n", b"250 ok, but"],
)
def test_what_breaks_after_the_content_is_unknown_and_never_sent_again(answer, monkeypatch):
    monkeypatch.setattr(sending, "DEADLINE", 1.0)  # before the content it must not pass, however busy the machine
    outcome, script, _ = told({"BODY": answer})
    assert isinstance(outcome, Unknown), outcome
    assert script.bodies == 1 and [said for said in script.said if said == "DATA"] == ["DATA"]


def test_a_connection_refused_is_tried_again():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = send(config(f"smtp://127.0.0.1:{unused.getsockname()[1]}"))
    assert isinstance(outcome, Retry) and "127.0.0.1" in outcome.reason


def test_a_goodbye_without_an_answer_changes_nothing():
    for answer in (b"", b"500 no\r\n", b"rubbish\r\n"):
        assert isinstance(told({"QUIT": answer})[0], Submitted)


def test_what_no_e_mail_can_carry_is_a_rejection_and_not_a_fault_of_ours():
    outcome, script, _ = told({}, text="half a character: \ud83d")
    assert isinstance(outcome, Rejected) and outcome.blame is Blame.MESSAGE
    assert not script.said
