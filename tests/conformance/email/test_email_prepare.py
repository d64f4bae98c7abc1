"""What can be sent, found before any call: addresses, headers that would add headers, configurations."""

import pytest
from mail import FIELDS, config

from oncue.adaptors.email import adaptor
from oncue.core import fields
from oncue.core.adaptor import Impossible, Prepared

CONFIG = config("smtp://127.0.0.1:25")


def prepare(given=CONFIG, **more):
    return adaptor.actions[0].prepare(given, {**FIELDS, **more}, {})


@pytest.mark.parametrize(
    ("to", "recipient"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann Smith <ann@example.com> ", "ann@example.com"),
        ('"Smith, Ann" <ann@example.com>', "ann@example.com"),
        ("ann+shop.x_y'z@mail.example.co.uk", "ann+shop.x_y'z@mail.example.co.uk"),
        ("Ann@EXAMPLE.com", "Ann@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@localhost", "ann@localhost"),
    ],
)
def test_an_address_is_read_as_people_write_it(to, recipient):
    prepared = prepare(to=to)
    assert isinstance(prepared, Prepared) and prepared.recipient == recipient
    assert (prepared.sender, prepared.lane.key) == ("shop@example.com", "email")


@pytest.mark.parametrize(
    "to",
    [
        "", "ann", "ann@", "@example.com", "ann@example", "ann smith@example.com", "ann@exa mple.com", "ann@example..com",
        "ann@-example.com", ".ann@example.com", "ann..b@example.com", "ann@example.com> SIZE=1", "<ann@example.com", "ännä@example.com",
        "a" * 65 + "@example.com", "ann@" + "x" * 64 + ".com", "ann@" + ".".join(["x" * 60] * 5), "ann@straße.de", "ann@1\uff0e2\u3000.de",
        "ann@example.com <bob@example.com> <eve@example.com>", "none", "null", "ann@[127.0.0.1]",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(to):
    for name, found in (
        ("to", prepare(to=to)),
        ("from", prepare(**{"from": to or "x"})),
        ("reply_to", prepare(reply_to=to or "x")),
    ):
        assert isinstance(found, Impossible), (name, found)
        assert found.field == name and "is not an e-mail address" in found.sentence and found.sentence.endswith(".")


@pytest.mark.parametrize(
    "to",
    [
        "ann@example.com, bob@example.com",
        "ann@example.com;bob@example.com",
        "Ann <ann@example.com>, Bob <bob@example.com>",
    ],
)
def test_several_recipients_are_refused(to):
    found = prepare(to=to)
    assert isinstance(found, Impossible) and found.field == "to"
    assert "more than one e-mail address; give one" in found.sentence


SMUGGLED = [
    "a{}\r\nBcc: eve@example.com", "a{}\nBcc: eve@example.com", "a{}\rBcc: eve@example.com", "a{}\r\n\r\nanother body", "a{}\0",
    "a{}\u2028Bcc: eve@example.com", "a{}\u2029b", "a{}\x85Bcc: eve@example.com", "a{}\x0bb", "a{}\x0cb", "a{}\x1cb",
    "=?utf-8?q?a{}=0D=0ABcc=3A_eve=40example.com?=", "x =?utf-8?b?YQ0KQmNjOiBlQGUuZQ==?= {}",
]  # fmt: skip


@pytest.mark.parametrize("text", SMUGGLED, ids=ascii)
@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("subject", "{}"),
        ("to", "{} <ann@example.com>"),
        ("from", "{} <shop@example.com>"),
        ("reply_to", "{} <a@example.com>"),
    ],
)
def test_a_header_that_would_smuggle_in_another_is_refused_with_a_sentence(name, around, text):
    found = prepare(**{name: around.format(text.format(""))})
    assert isinstance(found, Impossible), found
    assert found.field == name and "one line" in found.sentence


@pytest.mark.parametrize("text", SMUGGLED[:11], ids=ascii)
def test_a_rule_that_writes_such_a_subject_out_is_refused_when_it_is_saved(text):
    _, faults = fields.read(adaptor.actions[0].fields, {**FIELDS, "subject": text.format("")})
    assert [fault.field for fault in faults] == ["subject"]


def test_an_e_mail_without_anything_in_it_is_refused():
    found = prepare(text="", html="")
    assert isinstance(found, Impossible) and "needs a text, an HTML body, or both" in found.sentence
    assert [fault.field for fault in adaptor.actions[0].check(CONFIG, {"to": "x", "subject": "y"})] == ["text"]
    assert not adaptor.actions[0].check(CONFIG, {"html": "<p>"})


def test_a_body_beyond_the_limit_is_refused_and_never_cut():
    for name in ("text", "html"):
        _, faults = fields.read(adaptor.actions[0].fields, {**FIELDS, name: "x" * 200_001})
        assert [fault.sentence for fault in faults] == [
            f"{'Text' if name == 'text' else 'HTML'} is 200001 characters long; the limit is 200000."
        ]


def test_pacing_is_the_adaptor_s():
    assert prepare(config("smtp://h", messages_per_second=2.5)).lane.per_second == 2.5


def faults(**given):
    values, found = fields.read(adaptor.config, {"smtp_url": "smtp://localhost", "from": "shop@example.com", **given})
    return {fault.field: fault.sentence for fault in (*found, *(adaptor.check_config(values) if not found else []))}


def test_a_good_configuration_has_no_fault():
    assert not faults(reply_to="Help <help@example.com>", messages_per_second="5")
    for url in ("smtps://u:p@h:465", "smtp+starttls://shop%40x:p%2Fw@h", "smtp://[::1]:25", "smtp://h/"):
        assert not faults(smtp_url=url), url


@pytest.mark.parametrize(
    "url",
    ["localhost", "http://localhost", "smtp://", "smtp://h:99999", "smtp://h:x", "smtp://u:p/w@h:25", "smtp://h:25/x", "smtp://h?tls=1", "smtp://u:p#w@h"],
)  # fmt: skip
def test_a_bad_server_is_told_with_what_to_do_and_without_the_password(url):
    found = faults(smtp_url=url)
    assert found.keys() == {"smtp_url"} and found["smtp_url"].endswith(".")
    assert "p/w" not in found["smtp_url"] and "p#w" not in found["smtp_url"]


@pytest.mark.parametrize(
    "text", ["shop", "shop@", "a@example.com, b@example.com", "Shop\n <shop@example.com>", "Shop <a@b"]
)
def test_a_bad_sender_is_told_when_it_is_configured_and_not_at_each_e_mail(text):
    assert faults(**{"from": text}).keys() == {"from"}
    assert faults(reply_to=text).keys() == {"reply_to"}


def test_what_must_stay_secret_is_a_secret():
    assert [field.name for field in adaptor.config if field.is_secret] == ["smtp_url"]
