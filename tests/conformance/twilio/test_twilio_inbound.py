"""Callbacks and replies become reports (wild bugs 1, 2, 6, 7, 11 to 13)."""

import itertools

import pytest
from twilio_cases import ACCOUNT, MESSAGE, SERVICE, posted, sign

from oncue.adaptors.twilio import adaptor
from oncue.core.adaptor import Heard, Refused, Request
from oncue.core.message import later

READ = {one.name: one.read for one in adaptor.inbound}
SID = "SM" + "1" * 32
STATUS = {
    "AccountSid": ACCOUNT,
    "MessageSid": SID,
    "MessageStatus": "delivered",
    "To": "+16175551212",
    "From": "+15005550006",
}
REPLY = {
    "AccountSid": ACCOUNT,
    "MessageSid": SID,
    "From": "+16175551212",
    "To": "+15005550006",
    "Body": "hi",
    "SmsStatus": "received",
}

DOCUMENTED = (
    "queued",
    "sending",
    "sent",
    "delivered",
    "undelivered",
    "failed",
    "accepted",
    "scheduled",
    "canceled",
    "read",
    "partially_delivered",
)


def report(config, door, form, **changed):
    heard = READ[door](config, posted(door, {**form, **changed}, tail=MESSAGE if door == "status" else ""))
    assert isinstance(heard, Heard), heard
    return heard.reports[0]


@pytest.mark.parametrize("status", DOCUMENTED)
def test_every_documented_status_is_ranked_and_reported(config, status):
    assert status in adaptor.statuses
    assert report(config, "status", STATUS, MessageStatus=status).status == status


def test_an_unknown_status_is_reported_too(config):
    assert report(config, "status", STATUS, MessageStatus="Teleported").status == "teleported"


def test_ranks_are_a_total_order():
    assert len(set(adaptor.statuses.values())) == len(adaptor.statuses)


@pytest.mark.parametrize("last", ["delivered", "undelivered", "failed", "read"])
def test_every_order_and_repetition_of_statuses_ends_the_same(last):
    for order in itertools.permutations(["queued", "sent", "sent", last, "a new word"]):
        kept = ""
        for status in order:
            kept = later(adaptor.statuses, kept, status)
        assert kept == last


def test_of_two_final_statuses_the_worse_is_kept():
    for order in itertools.permutations(["delivered", "undelivered", "failed"]):
        assert max(order, key=lambda status: adaptor.statuses[status]) == "failed"


def test_a_callback_names_our_message_and_twilio_s(config):
    found = report(config, "status", STATUS)
    assert (found.message_id, found.provider_id, found.sender, found.recipient) == (
        MESSAGE,
        SID,
        "+15005550006",
        "+16175551212",
    )


@pytest.mark.parametrize(("more", "first"), [({}, "queued"), ({"MessagingServiceSid": SERVICE}, "accepted")])
def test_the_first_status_is_what_twilio_called_it_at_acceptance(config, more, first):
    assert report(config, "status", STATUS, **more).first_status == first


def test_parameters_that_nobody_knows_are_kept(config):
    raw = report(config, "status", STATUS, RawDlrDoneDate="2611231200", New="x y").raw
    assert (raw["RawDlrDoneDate"], raw["New"]) == ("2611231200", "x y")


@pytest.mark.parametrize("code", ["21610", "30630"])
def test_a_refusal_for_consent_opts_the_person_out_of_that_sender(config, code):
    found = report(config, "status", STATUS, MessageStatus="failed", ErrorCode=code, MessagingServiceSid=SERVICE)
    assert found.opts_out and set(found.scopes) == {"+15005550006", SERVICE}


@pytest.mark.parametrize("code", ["", "0", "30003", "30004", "99999"])
def test_another_error_opts_nobody_out(config, code):
    assert not report(config, "status", STATUS, MessageStatus="failed", ErrorCode=code).opts_out


def test_an_error_is_told_in_a_sentence(config):
    found = report(config, "status", STATUS, MessageStatus="undelivered", ErrorCode="30005")
    assert found.error_code == "30005" and found.error_message.endswith(".")


@pytest.mark.parametrize("lacking", ["MessageSid", "MessageStatus"])
def test_a_callback_without_what_it_is_about_is_400(config, lacking):
    form = {name: value for name, value in STATUS.items() if name != lacking}
    refused = READ["status"](config, posted("status", form, tail=MESSAGE))
    assert isinstance(refused, Refused) and refused.status == 400


STOP = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT")
START = ("START", "YES", "UNSTOP")
HELP = ("HELP", "INFO")
WORDS = [(word, said) for words, said in ((STOP, "opted_out"), (START, "opted_in"), (HELP, "help")) for word in words]


@pytest.mark.parametrize("form", ["{}", "  {} ", "{}\n", "{}.", "{}!", '"{}"', "\u00a0{}"])
@pytest.mark.parametrize(("word", "said"), WORDS)
def test_every_keyword_counts_in_any_case_and_spacing(config, word, said, form):
    for written in (word, word.lower(), word.capitalize()):
        assert report(config, "message", REPLY, Body=form.format(written)).consent == said


@pytest.mark.parametrize(
    "body", ["please stop by at 5", "don't stop", "STOP PLEASE", "yes please", "the end of it", "", "help me", "stopp"]
)
def test_a_sentence_with_a_keyword_in_it_is_no_keyword(config, body):
    assert report(config, "message", REPLY, Body=body).consent == ""


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("STOP", "ARRET", "opted_out"),
        ("START", "weiter", "opted_in"),
        ("HELP", "aide", "help"),
        ("stop", "x", "opted_out"),
        ("HELP", "STOP", "help"),
    ],
)
def test_twilio_s_opt_out_type_goes_before_our_words(config, kind, body, said):
    assert report(config, "message", REPLY, Body=body, OptOutType=kind).consent == said


@pytest.mark.parametrize(
    ("more", "scopes"), [({}, {"+15005550006"}), ({"MessagingServiceSid": SERVICE}, {"+15005550006", SERVICE})]
)
def test_an_opt_out_covers_the_number_written_to_and_its_service(config, more, scopes):
    assert set(report(config, "message", REPLY, Body="STOP", **more).scopes) == scopes


def test_a_reply_carries_what_the_person_sent(config):
    found = report(
        config, "message", REPLY, Body=" hello ", NumMedia="2", MediaUrl0="https://a/0", MediaUrl1="https://a/1"
    )
    assert (found.address, found.sender, found.body, found.provider_id) == (
        "+16175551212",
        "+15005550006",
        " hello ",
        SID,
    )
    assert found.properties["media_urls"] == ["https://a/0", "https://a/1"]
    assert found.properties["body"] == " hello "


def test_twilio_is_answered_with_empty_twiml(config):
    heard = READ["message"](config, posted("message", REPLY))
    assert heard.content_type == "text/xml" and b"<Response/>" in heard.answer


def test_a_get_is_read_from_its_query(config):
    url = f"https://oncue.example.com/hooks/twilio/message?AccountSid={ACCOUNT}&MessageSid={SID}&From=%2B16175551212&To=72345&Body=stop"
    heard = READ["message"](
        config, Request(method="GET", url=url, tail="", headers={"x-twilio-signature": sign(url, [])}, body=b"")
    )
    assert (
        isinstance(heard, Heard) and heard.reports[0].consent == "opted_out" and heard.reports[0].scopes == ("72345",)
    )


def test_a_nul_is_kept_nowhere(config):
    """Found by fuzzing: in a value it was taken out, in a name it stayed."""
    (report,) = READ["status"](config, posted("status", {**STATUS, "Na\0me": "va\0lue"})).reports
    assert report.raw["Name"] == "value"
