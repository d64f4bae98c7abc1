"""Test credentials: the magic numbers of twilio.com/docs/iam/test-credentials, no texts, no callbacks, nothing else."""

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from oncue.simulator import defaults

ANN = "+15005551001"
FINE = "+15005550006"


@pytest.fixture
def tester(connect):
    return connect(defaults.TEST_ACCOUNT_SID, defaults.TEST_AUTH_TOKEN)


@pytest.mark.parametrize(
    "to, sender, code",
    [
        (ANN, "+15005550001", 21212),
        (ANN, "+15005550007", 21606),
        (ANN, "+15005550008", 21611),
        (ANN, "+15005550099", 21606),
        (ANN, defaults.TOLL_FREE, 21606),
        ("+15005550001", FINE, 21211),
        ("+15005550002", FINE, 21612),
        ("+15005550003", FINE, 21408),
        ("+15005550004", FINE, 21610),
        ("+15005550009", FINE, 21614),
    ],
)
def test_a_magic_number_is_refused_with_its_code(tester, simulator, to, sender, code):
    with pytest.raises(TwilioRestException) as refusal:
        tester.messages.create(to=to, from_=sender, body="Hello")
    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert simulator.state(counts=True)["accepted"] == 0


@pytest.mark.parametrize("given, code", [({"from_": FINE}, 21619), ({"body": "Hello"}, 21603)])
def test_the_ordinary_rules_hold_too(tester, given, code):
    with pytest.raises(TwilioRestException) as refusal:
        tester.messages.create(to=ANN, **given)
    assert refusal.value.code == code


def test_the_number_that_works_works_and_no_text_and_no_callback_follow(tester, client, simulator, receiver, final):
    message = tester.messages.create(to=ANN, from_=FINE, body="Hello", status_callback=receiver.hook)
    assert (message.status, message.account_sid) == ("queued", defaults.TEST_ACCOUNT_SID)
    real = client.messages.create(to=ANN, from_=FINE, body="Real", status_callback=receiver.hook)
    final(real.sid)
    receiver.wait(2)
    assert {call.form["MessageSid"] for call in receiver.calls} == {real.sid}
    assert [text["body"] for text in simulator.phone(ANN)] == ["Real"]


@pytest.mark.parametrize("to", ["+15005550001", "+15005550004", "+15005550009"])
def test_real_credentials_know_no_magic(client, to):
    assert client.messages.create(to=to, from_=FINE, body="Hello").status == "queued"


@pytest.mark.parametrize(
    "act",
    [
        lambda tester, sid: tester.messages(sid).fetch(),
        lambda tester, sid: tester.messages(sid).update(body=""),
        lambda tester, sid: tester.messages(sid).delete(),
        lambda tester, sid: tester.messages(sid).media("ME" + "0" * 32).fetch(),
        lambda tester, sid: tester.api.accounts(defaults.TEST_ACCOUNT_SID).fetch(),
        lambda tester, sid: tester.messaging.v1.services(defaults.SERVICE_SID).fetch(),
        lambda tester, sid: tester.messaging.v1.services(defaults.SERVICE_SID).update(inbound_request_url=""),
    ],
)
def test_every_other_resource_is_20008(tester, act):
    sid = tester.messages.create(to=ANN, from_=FINE, body="Hello").sid
    with pytest.raises(TwilioRestException) as refusal:
        act(tester, sid)
    assert (refusal.value.status, refusal.value.code) == (403, 20008)


@pytest.mark.parametrize(
    "list_all",
    [
        lambda tester: tester.messages.list(),
        lambda tester: tester.incoming_phone_numbers.list(),
        lambda tester: tester.messaging.v1.services.list(),
    ],
)
def test_every_list_is_20008(tester, list_all):
    with pytest.raises(TwilioException) as refusal:  # the package tells no more of a list that failed
        list_all(tester)
    assert refusal.value.args[1].status_code == 403 and '"code":20008' in refusal.value.args[1].text


def test_the_accounts_do_not_see_each_other_s_messages(tester, client):
    sid = tester.messages.create(to=ANN, from_=FINE, body="Hello").sid
    assert client.messages.list() == []
    with pytest.raises(TwilioRestException) as refusal:
        client.messages(sid).fetch()
    assert refusal.value.code == 20404
