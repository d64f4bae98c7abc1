"""Status callbacks: what is posted, signed as the official validator wants it, in order, and tried again as the URL's fragment says."""

import re
import socket

import pytest
from twilio.request_validator import RequestValidator

from oncue.core import clock
from oncue.simulator import defaults
from oncue.testing import free_port, wait_for

ANN = "+15005551001"


@pytest.fixture
def send(client):
    """A text that calls back there."""

    def text(url, to=ANN, **more):
        return client.messages.create(
            to=to, body="Hello", status_callback=url, **({"from_": defaults.LONG_CODE} | more)
        )

    return text


def by_service(send, url):
    return send(url, from_=defaults.SECOND_LONG_CODE, messaging_service_sid=defaults.SERVICE_SID)


def statuses(calls):
    return [call.status for call in calls]


def test_a_message_by_number_calls_back_sent_and_delivered_signed(send, receiver):
    message = send(receiver.url + "/status")
    calls = receiver.wait(2)
    assert statuses(calls) == ["sent", "delivered"]  # none for the first status
    assert all(call.is_signed for call in calls)
    assert all(call.headers["Content-Type"].startswith("application/x-www-form-urlencoded") for call in calls)
    expected = {
        "AccountSid": defaults.ACCOUNT_SID, "ApiVersion": "2010-04-01", "From": defaults.LONG_CODE, "To": ANN,
        "MessageSid": message.sid, "SmsSid": message.sid,
    }  # fmt: skip
    assert calls[0].form == {**expected, "MessageStatus": "sent", "SmsStatus": "sent"}
    done_at = calls[1].form.pop("RawDlrDoneDate")
    assert re.fullmatch(r"\d{10}", done_at)
    assert calls[1].form == {**expected, "MessageStatus": "delivered", "SmsStatus": "delivered"}


def test_a_message_by_service_calls_back_queued_first_and_names_the_service(client, receiver):
    client.messages.create(
        to=ANN, messaging_service_sid=defaults.SERVICE_SID, body="Hello", status_callback=receiver.hook
    )
    calls = receiver.wait(3)
    assert statuses(calls) == ["queued", "sent", "delivered"]
    assert {call.form["MessagingServiceSid"] for call in calls} == {defaults.SERVICE_SID}
    assert len({call.form["From"] for call in calls}) == 1 and calls[0].form["From"] in defaults.POOL
    assert all(call.is_signed for call in calls)


def test_a_service_has_a_callback_of_its_own_which_the_message_s_overrides(client, send, receiver):
    client.messaging.v1.services(defaults.SERVICE_SID).update(status_callback=receiver.url + "/service")
    client.messages.create(to=ANN, messaging_service_sid=defaults.SERVICE_SID, body="Hello")
    receiver.wait(3)
    by_service(send, receiver.url + "/message")
    assert [call.url.rpartition("/")[2] for call in receiver.wait(6)] == ["service"] * 3 + ["message"] * 3


@pytest.mark.parametrize(
    "kind, code",
    [("failed", code) for code in (30001, 30002, 30007, 30008, 30630)]
    + [("undelivered", code) for code in (30003, 30004, 30005, 30006, 30008)],
)
def test_only_failed_and_undelivered_carry_an_error_code(send, client, simulator, receiver, kind, code):
    simulator.fault(kind, to=ANN, code=code)
    message = send(receiver.hook)
    expected = [("failed", str(code))] if kind == "failed" else [("sent", None), ("undelivered", str(code))]
    calls = receiver.wait(len(expected))
    assert [(call.status, call.form.get("ErrorCode")) for call in calls] == expected
    assert all(call.is_signed for call in calls)
    fetched = client.messages(message.sid).fetch()
    assert (fetched.status, fetched.error_code, fetched.date_sent is None) == (kind, code, kind == "failed")
    assert simulator.phone(ANN) == []


@pytest.mark.parametrize(
    "tail",
    [
        "/status?ref=1",
        "/status?ref=1&b=%7e%41+%20x&empty=",
        "/a%2Fb/?x=y;z",
        "/status?ref=%C3%A9&ref=2",
        "/status?",
        "/status?ref=1#rc=5&rp=all",
        "/status#rc=2",
    ],
)
def test_the_url_is_called_byte_for_byte_without_its_fragment_and_signed_so(send, receiver, tail):
    send(receiver.url + tail)
    call = receiver.wait(1)[0]
    if tail != "/status?":  # the official validator itself loses an empty query
        assert call.url == receiver.url + tail.partition("#")[0]
        assert call.is_signed
    assert "#" not in call.url


def test_a_user_and_password_are_sent_but_not_signed(send, receiver):
    send(receiver.url.replace("://", "://ann:secret@") + "/status")
    call = receiver.wait(1)[0]
    assert call.headers["Authorization"].startswith("Basic ") and call.is_signed


def test_a_changed_parameter_breaks_the_signature(send, receiver):
    send(receiver.hook)
    call = receiver.wait(1)[0]
    call.form["MessageStatus"] = "delivered"
    assert not call.is_signed
    assert not RequestValidator(defaults.API_KEY_SECRET).validate(
        call.url, {**call.form, "MessageStatus": "sent"}, call.headers["X-Twilio-Signature"]
    )


def test_callbacks_keep_the_pace(send, simulator, receiver):
    simulator.dial(pace=0.1)
    began = clock.now()
    send(receiver.hook)
    calls = receiver.wait(2)
    assert 190 <= calls[1].received_at - began < 2_000
    (kept,) = simulator.state()["messages"]
    assert kept["history"][2][1] - kept["history"][1][1] >= 95


def test_a_webhook_that_hangs_holds_up_no_message_and_callbacks_keep_their_order(send, simulator, receiver, final):
    receiver.gate.clear()
    message = send(receiver.hook)
    final(message.sid)  # delivered, though nobody has answered the first callback
    assert statuses(receiver.calls) in ([], ["sent"])
    receiver.gate.set()
    assert statuses(receiver.wait(2)) == ["sent", "delivered"]


@pytest.mark.parametrize(
    "answers, fragment, tries",
    [
        ([200], "", 1),
        ([204], "", 1),
        ([302], "", 1),  # and not followed
        ([500], "", 1),  # by default only a failed connection is tried again
        ([404], "", 1),
        ([0], "", 1),  # hung up after reading: a read that failed, not a connection
        ([500, 204], "#rc=5", 1),  # more retries, but still only of connections
        ([500, 204], "#rp=all", 2),  # one retry is the default
        ([500, 500, 204], "#rp=all", 2),
        ([500, 500, 204], "#rc=5&rp=all", 3),
        ([500] * 6, "#rc=5&rp=all", 6),
        ([500] * 6, "#rc=9&rp=all", 6),  # five is the most
        ([500, 404, 204], "#rc=5&rp=all", 3),
        ([0, 204], "#rc=5&rp=all", 2),
        ([500, 204], "#rc=5&rp=5xx,ct,rt", 2),
        ([404, 204], "#rc=5&rp=5xx,ct,rt", 1),
        ([404, 204], "#rc=5&rp=4xx", 2),
        ([0, 204], "#rc=5&rp=rt", 2),
        ([500, 204], "#rc=0&rp=all", 1),
        ([500, 204], "#rc=many&rp=all", 2),  # nonsense is the default
    ],
)
def test_what_is_tried_again_is_what_the_fragment_asks_for(send, simulator, receiver, answers, fragment, tries):
    simulator.fault("failed")  # one callback
    receiver.answers = list(answers)
    send(receiver.url + "/status" + fragment)
    wait_for(lambda: simulator.state(counts=True)["callbacks"] == 1, 5)  # it is through with it
    assert len(receiver.calls) == tries
    assert len({call.headers["I-Twilio-Idempotency-Token"] for call in receiver.calls}) == 1  # the same on every retry
    assert len({call.body for call in receiver.calls}) == 1 and receiver.calls[0].is_signed


def test_two_callbacks_have_two_tokens(send, receiver):
    send(receiver.hook)
    assert len({call.headers["I-Twilio-Idempotency-Token"] for call in receiver.wait(2)}) == 2


@pytest.mark.parametrize("fragment", ["", "#rc=5&rp=all"])
def test_where_nobody_listens_the_message_goes_on(send, simulator, final, fragment):
    message = send(f"http://127.0.0.1:{free_port()}/status{fragment}")
    assert final(message.sid).status == "delivered"
    wait_for(lambda: simulator.state(counts=True)["callbacks"] == 2, 5)


@pytest.mark.parametrize("fragment, tries", [("", 2), ("#rc=3", 4), ("#rc=0", 1), ("#rp=5xx", 1), ("#rc=2&rp=all", 3)])
def test_a_connection_that_fails_is_tried_once_more_by_default(send, simulator, fragment, tries):
    simulator.fault("failed")
    with socket.create_server(("127.0.0.1", 0)) as listening:  # speaks no TLS: each handshake fails
        listening.settimeout(5)
        send(f"https://127.0.0.1:{listening.getsockname()[1]}/status{fragment}")
        for _ in range(tries):
            listening.accept()[0].close()
        wait_for(lambda: simulator.state(counts=True)["callbacks"] == 1, 5)
        listening.settimeout(0)
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize(
    "fragment, tries", [("#rt=400", 1), ("#rt=400&rc=2&rp=rt", 3), ("#tt=1000&rt=400&rc=5&rp=all", 3), ("#tt=400", 1)]
)
def test_a_webhook_that_does_not_answer_is_given_up_in_the_time_asked_for(send, simulator, receiver, fragment, tries):
    simulator.fault("failed")
    receiver.gate.clear()
    send(receiver.hook + fragment)
    wait_for(lambda: simulator.state(counts=True)["callbacks"] == 1, 10)
    assert len(receiver.calls) == tries
