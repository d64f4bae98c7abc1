"""A phone writes: the webhook of its number or service is called, signed; STOP and START are obeyed."""

import pytest
from twilio.base.exceptions import TwilioRestException

from oncue.simulator import defaults
from oncue.testing import wait_for

ANN, BOB = "+15005551001", "+15005551002"
POOL = defaults.POOL[0]


@pytest.fixture
def send(client):
    """Send to Ann; the code it was refused with, or 0."""

    def code(to=ANN, sender=defaults.LONG_CODE, service=""):
        who = {"messaging_service_sid": service} if service else {"from_": sender}
        try:
            client.messages.create(to=to, body="Hello", **who)
        except TwilioRestException as refusal:
            assert refusal.status == 400 and refusal.msg.endswith("unsubscribed recipient")
            return refusal.code
        return 0

    return code


@pytest.fixture
def number(client):
    """One of the account's numbers, as the official package sees it."""
    return lambda phone_number: client.incoming_phone_numbers.list(phone_number=phone_number)[0]


@pytest.fixture
def obeyed(simulator):
    """A phone writes, and the carrier has answered the keyword by itself."""

    def text(phone, body, to=defaults.LONG_CODE):
        before = len(simulator.phone(phone))
        simulator.text(phone, body, to=to)
        wait_for(lambda: len(simulator.phone(phone)) >= before + 2, 5)
        return simulator.phone(phone)[-1]

    return text


def test_the_number_s_webhook_is_called_signed_with_every_parameter(simulator, receiver, number):
    number(defaults.LONG_CODE).update(sms_url=receiver.url + "/in?shop=1")
    sent = simulator.text(ANN, "When do you open? €")
    (call,) = receiver.wait(1)
    assert call.method == "POST" and call.url == receiver.url + "/in?shop=1" and call.is_signed
    assert call.form == {
        "MessageSid": sent["sid"], "SmsSid": sent["sid"], "SmsMessageSid": sent["sid"], "SmsStatus": "received",
        "AccountSid": defaults.ACCOUNT_SID, "ApiVersion": "2010-04-01", "From": ANN, "To": defaults.LONG_CODE,
        "Body": "When do you open? €", "NumMedia": "0", "NumSegments": "1",
        "FromCity": "", "FromState": "", "FromZip": "", "FromCountry": "US",
        "ToCity": "", "ToState": "", "ToZip": "", "ToCountry": "US",
    }  # fmt: skip


def test_an_incoming_picture_message_names_its_media(simulator, receiver, number):
    number(defaults.LONG_CODE).update(sms_url=receiver.hook)
    pictures = ["https://example.com/1.jpg", "https://example.com/2.jpg"]
    sent = simulator.text(ANN, "", media=pictures)
    (call,) = receiver.wait(1)
    assert sent["sid"].startswith("MM") and call.is_signed
    assert (call.form["Body"], call.form["NumMedia"]) == ("", "2")
    assert [call.form["MediaUrl0"], call.form["MediaUrl1"]] == pictures
    assert call.form["MediaContentType1"] == "image/jpeg"


def test_a_webhook_may_be_asked_for_by_get(simulator, receiver, number):
    number(defaults.LONG_CODE).update(sms_url=receiver.url + "/in?shop=1", sms_method="GET")
    simulator.text(ANN, "Hi & bye")
    (call,) = receiver.wait(1)
    assert call.method == "GET" and call.url.startswith(receiver.url + "/in?shop=1&") and "Body=Hi+%26+bye" in call.url
    assert call.form == {} and call.is_signed


def test_a_number_of_a_service_calls_the_service_s_webhook_and_names_the_service(client, simulator, receiver, number):
    number(POOL).update(sms_url=receiver.url + "/number")
    service = client.messaging.v1.services(defaults.SERVICE_SID)
    service.update(inbound_request_url=receiver.url + "/service")
    simulator.text(ANN, "Hello", to=POOL)
    (call,) = receiver.wait(1)
    assert call.url == receiver.url + "/service" and call.is_signed
    assert (call.form["MessagingServiceSid"], call.form["To"]) == (defaults.SERVICE_SID, POOL)
    service.update(use_inbound_webhook_on_number=True)
    simulator.text(ANN, "Hello", to=POOL)
    assert receiver.wait(2)[1].url == receiver.url + "/number"


def test_numbers_and_services_are_listed_with_their_webhooks(client, number):
    assert [one.phone_number for one in client.incoming_phone_numbers.list()] == list(defaults.NUMBERS)
    one = number(defaults.TOLL_FREE)
    assert (one.sms_url, one.capabilities["sms"], one.sid[:2]) == ("", True, "PN")
    assert one.update(sms_url="https://example.com/in").sms_url == "https://example.com/in"
    assert number(defaults.TOLL_FREE).fetch().sms_url == "https://example.com/in"
    assert number(defaults.LONG_CODE).sms_url == ""
    (service,) = client.messaging.v1.services.list()
    assert (service.sid, service.inbound_request_url) == (defaults.SERVICE_SID, None)
    assert [one.phone_number for one in service.phone_numbers.list()] == list(defaults.POOL)
    changed = client.messaging.v1.services(service.sid).update(inbound_request_url="https://example.com/in")
    assert changed.inbound_request_url == service.fetch().inbound_request_url == "https://example.com/in"
    assert service.fetch().use_inbound_webhook_on_number is False


@pytest.mark.parametrize(
    "twiml, said",
    [
        ("<Response/>", None),
        ('<?xml version="1.0" encoding="UTF-8"?><Response></Response>', None),
        ("", None),
        ("<Response><Message>At nine.</Message></Response>", "At nine."),
        ("<Response><Message><Body>At nine.</Body></Message></Response>", "At nine."),
        ("not XML <", None),
    ],
)
def test_what_the_webhook_answers_is_said_to_the_phone(simulator, receiver, number, twiml, said):
    receiver.answer = (200, twiml)
    number(defaults.LONG_CODE).update(sms_url=receiver.hook)
    simulator.text(ANN, "When do you open?")
    receiver.wait(1)
    simulator.text(ANN, "HELP")  # a whole round later the first answer has been read
    receiver.wait(2)
    wait_for(lambda: len(simulator.phone(ANN)) >= 3, 5)
    if said:
        wait_for(lambda: said in [text["body"] for text in simulator.phone(ANN) if text["direction"] == "in"], 5)
    else:
        assert [text["body"] for text in simulator.phone(ANN) if text["direction"] == "in"] == [
            "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
        ]


STOP_WORDS = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"]


@pytest.mark.parametrize("word", [*STOP_WORDS, "stop", "Stop", " stop\n", "oPtOuT"])
def test_each_stop_word_blocks(send, obeyed, simulator, word):
    assert send() == 0
    assert "unsubscribed" in obeyed(ANN, word)["body"]
    assert send() == 21610 and send(to=BOB) == 0
    assert simulator.state(counts=True)["accepted"] == 2  # what was refused was not accepted


@pytest.mark.parametrize("word", ["START", "YES", "UNSTOP", "yes", " Start "])
def test_each_start_word_opens_again(send, obeyed, word):
    obeyed(ANN, "STOP")
    assert send() == 21610
    assert "re-subscribed" in obeyed(ANN, word)["body"]
    assert send() == 0


@pytest.mark.parametrize(
    "body", ["STOP PLEASE", "please stop", "STOP.", "STOPPED", "don't stop", "opt out", "ARRET", "", "S T O P", "no"]
)
def test_anything_more_than_the_word_alone_does_not_count(send, simulator, receiver, number, body):
    number(defaults.LONG_CODE).update(sms_url=receiver.hook)
    simulator.text(ANN, body)
    assert receiver.wait(1)[0].form["Body"] == body
    assert send() == 0 and simulator.state()["blocks"] == []


@pytest.mark.parametrize("word", ["HELP", "info"])
def test_help_is_answered_and_blocks_nobody(send, obeyed, word):
    assert "Reply STOP" in obeyed(ANN, word)["body"]
    assert send() == 0


def test_a_block_is_for_one_number_and_one_recipient(send, obeyed):
    obeyed(ANN, "STOP", to=defaults.LONG_CODE)
    assert send(sender=defaults.LONG_CODE) == 21610
    assert send(sender=defaults.TOLL_FREE) == 0
    assert send(sender=POOL) == send(service=defaults.SERVICE_SID) == 0
    assert send(to=BOB) == 0


@pytest.mark.parametrize("to", defaults.POOL)
def test_a_block_by_one_number_of_a_service_covers_the_whole_pool(send, obeyed, to):
    obeyed(ANN, "STOP", to=to)
    assert send(service=defaults.SERVICE_SID) == 21610
    assert [send(sender=sender) for sender in defaults.POOL] == [21610, 21610]
    assert send(sender=defaults.LONG_CODE) == 0 and send(to=BOB, service=defaults.SERVICE_SID) == 0
    obeyed(ANN, "START", to=defaults.POOL[-1])
    assert send(service=defaults.SERVICE_SID) == send(sender=POOL) == 0


def test_a_short_code_outside_a_service_is_left_to_its_owner(send, simulator, receiver, number):
    number(defaults.SHORT_CODE).update(sms_url=receiver.hook)
    simulator.text(ANN, "STOP", to=defaults.SHORT_CODE)
    receiver.wait(1)
    assert send(sender=defaults.SHORT_CODE) == 0
    assert [text["direction"] for text in simulator.phone(ANN)].count("out") == 1


@pytest.mark.parametrize("advanced", [False, True])
@pytest.mark.parametrize("word, kind", [("STOP", "STOP"), ("quit", "STOP"), ("yes", "START"), ("INFO", "HELP")])
def test_the_webhook_hears_of_a_keyword_and_of_its_kind_only_with_advanced_opt_out(
    client, simulator, receiver, advanced, word, kind
):
    simulator.dial(advanced_opt_out=advanced)
    client.messaging.v1.services(defaults.SERVICE_SID).update(inbound_request_url=receiver.hook)
    simulator.text(ANN, word, to=POOL)
    (call,) = receiver.wait(1)
    assert call.form["Body"] == word and call.is_signed
    assert call.form.get("OptOutType") == (kind if advanced else None)


def test_an_ordinary_text_has_no_opt_out_type_even_with_advanced_opt_out(client, simulator, receiver):
    simulator.dial(advanced_opt_out=True)
    client.messaging.v1.services(defaults.SERVICE_SID).update(inbound_request_url=receiver.hook)
    simulator.text(ANN, "Hello", to=POOL)
    assert "OptOutType" not in receiver.wait(1)[0].form


def test_a_stop_that_comes_first_is_obeyed_before_the_webhook_hears_of_it(send, simulator, receiver, number):
    number(defaults.LONG_CODE).update(sms_url=receiver.hook)
    receiver.gate.clear()
    simulator.text(ANN, "STOP")
    receiver.wait(1)
    assert send() == 21610


def test_a_text_to_a_number_that_is_not_ours_is_refused(simulator):
    with pytest.raises(ValueError, match="is not a number of the account"):
        simulator.text(ANN, "Hello", to="+15005559999")
