"""The dial for faults: what the client sees, and what the carrier itself counts."""

import threading

import pytest
from requests.exceptions import ConnectionError as Dropped
from requests.exceptions import Timeout
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient

from oncue.core import clock
from oncue.simulator import defaults
from oncue.testing import wait_for

ANN, BOB = "+15005551001", "+15005551002"


@pytest.fixture
def send(client):
    """A text; its answer, or the error: (HTTP status, code), "dropped"."""

    def text(to=ANN, **more):
        try:
            return client.messages.create(to=to, from_=defaults.LONG_CODE, body="Hello", **more)
        except TwilioRestException as refusal:
            return refusal.status, refusal.code
        except Dropped:
            return "dropped"

    return text


def counted(simulator):
    state = simulator.state(counts=True)
    return state["requests"], state["accepted"]


@pytest.mark.parametrize(
    "kind, more, seen, accepted",
    [
        ("429", {}, (429, 20429), 0),
        ("500_before", {}, (500, 20500), 0),
        ("500_after", {}, (500, 20500), 1),
        ("503", {}, (503, 20503), 0),
        ("drop_before", {}, "dropped", 0),
        ("drop_after", {}, "dropped", 1),
        ("hang", {"seconds": 0.05}, "dropped", 1),
        ("refuse", {"code": 21614}, (400, 21614), 0),
        ("refuse", {"code": 21610}, (400, 21610), 0),
        ("auth", {}, (401, 20003), 0),
    ],
)
def test_a_fault_is_seen_by_the_client_and_the_carrier_knows_what_it_accepted(
    send, simulator, kind, more, seen, accepted
):
    simulator.fault(kind, times=1, **more)
    before = clock.now()
    assert send() == seen
    assert counted(simulator) == (kind != "auth", accepted)
    for message in simulator.state()["messages"]:
        assert (message["to"], message["body"]) == (ANN, "Hello")
        assert before <= message["created_at"] <= clock.now()
    assert send().status == "queued"  # the fault is used up
    assert counted(simulator)[1] == accepted + 1


def test_the_edge_answers_with_a_page_of_html(client, send, simulator):
    simulator.fault("html_502", times=1)
    url = f"{simulator.url}/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages.json"
    answer = client.request("POST", url, data={"To": ANN, "From": defaults.LONG_CODE, "Body": "Hello"})
    assert answer.status_code == 502 and answer.text.startswith("<html>")
    assert counted(simulator) == (1, 0)


def test_a_hang_is_a_time_out_for_the_client_and_a_message_for_the_carrier(client, simulator):
    simulator.fault("hang", seconds=0.4)
    client.http_client = TwilioHttpClient(timeout=0.2)
    with pytest.raises(Timeout):
        client.messages.create(to=ANN, from_=defaults.LONG_CODE, body="Hello")
    assert counted(simulator) == (1, 1)
    client.http_client.session.close()


def test_a_slow_answer_is_an_answer(send, simulator):
    simulator.fault("slow", seconds=0.2)
    began = clock.elapsed()
    assert send().status == "queued" and clock.elapsed() - began >= 0.2


def test_a_fault_for_one_number_strikes_that_number_only(send, simulator):
    simulator.fault("429", to=ANN)
    assert [send(ANN), send(ANN)] == [(429, 20429)] * 2
    assert send(BOB).status == "queued"
    assert [message["to"] for message in simulator.state()["messages"]] == [BOB]


def test_a_fault_strikes_as_often_as_it_was_told_to_and_ends_on_command(send, simulator):
    simulator.fault("500_before", times=2)
    assert [send(), send()] == [(500, 20500)] * 2
    assert send().status == "queued"
    simulator.fault("500_before")
    assert [send() for _ in range(3)] == [(500, 20500)] * 3
    simulator.clear_faults()
    assert send().status == "queued"
    assert counted(simulator) == (7, 2)


@pytest.mark.parametrize("rate, least, most", [(0.0, 0, 0), (0.5, 10, 70), (1.0, 80, 80)])
def test_a_fault_by_rate_strikes_its_share(send, simulator, rate, least, most):
    simulator.fault("429", rate=rate)
    refused = sum(send() == (429, 20429) for _ in range(80))
    assert least <= refused <= most  # half of 80, give or take more than six standard deviations
    assert counted(simulator) == (80, 80 - refused)


def test_a_message_that_is_stuck_keeps_its_first_status(send, simulator, receiver, final):
    simulator.fault("stuck", to=ANN)
    message, other = send(status_callback=receiver.hook), send(BOB, status_callback=receiver.hook)
    final(other.sid)
    assert {call.form["To"] for call in receiver.wait(2)} == {BOB}
    assert {one["sid"]: one["status"] for one in simulator.state()["messages"]}[message.sid] == "queued"


@pytest.mark.parametrize(
    "kind, more, heard",
    [
        ("callback_repeat", {}, ["sent", "sent", "delivered", "delivered"]),
        ("callback_repeat", {"times": 1}, ["sent", "sent", "delivered"]),
        ("callback_reorder", {}, ["delivered", "sent"]),
        ("callback_lost", {"times": 1}, ["delivered"]),
        ("callback_late", {"seconds": 0.1}, ["sent", "delivered"]),
    ],
)
def test_callbacks_are_repeated_reordered_lost_or_late_but_signed(send, simulator, receiver, final, kind, more, heard):
    simulator.fault(kind, to=ANN, **more)
    final(send(status_callback=receiver.hook).sid)
    calls = receiver.wait(len(heard))
    wait_for(lambda: simulator.state(counts=True)["callbacks"] == len(heard), 5)
    assert [call.status for call in calls] == heard and all(call.is_signed for call in calls)


def test_late_callbacks_come_late_though_the_message_was_in_time(send, simulator, receiver, final):
    simulator.fault("callback_late", seconds=0.4)
    final(send(status_callback=receiver.hook).sid)
    history = dict(simulator.state()["messages"][0]["history"])
    assert receiver.calls == []  # delivered, and nobody has heard
    assert [call.status for call in receiver.wait(2)] == ["sent", "delivered"]
    assert 390 <= clock.now() - history["sent"] < 790  # each waits from its own status, not after the other


def test_lost_callbacks_leave_the_truth_with_the_carrier(send, client, simulator, receiver, final):
    simulator.fault("callback_lost", to=ANN)
    lost, told = send(status_callback=receiver.hook), send(BOB, status_callback=receiver.hook)
    final(lost.sid), final(told.sid)
    assert {call.form["MessageSid"] for call in receiver.wait(2)} == {told.sid}
    assert client.messages(lost.sid).fetch().status == "delivered"


def test_callbacks_may_be_earlier_than_the_answer_to_the_post(send, simulator, receiver):
    simulator.fault("callback_early", times=1)
    receiver.gate.clear()
    answers = []
    posting = threading.Thread(target=lambda: answers.append(send(status_callback=receiver.hook)))
    posting.start()
    receiver.wait(1)
    assert answers == []  # the webhook hears of it, and the client still waits
    receiver.gate.set()
    posting.join(5)
    assert [call.status for call in receiver.calls] == ["sent", "delivered"]
    assert answers[0].status == "queued" and answers[0].sid == receiver.calls[0].form["MessageSid"]


def test_early_callbacks_and_a_connection_that_drops_go_together(send, simulator, receiver):
    simulator.fault("callback_early")
    simulator.fault("drop_after")
    assert send(status_callback=receiver.hook) == "dropped"
    assert [call.status for call in receiver.calls] == ["sent", "delivered"]
    assert counted(simulator) == (1, 1)


@pytest.mark.parametrize("wrong", [{"kind": "nonsense"}, {"kind": "429", "number": ANN}, {"kind": "429", "times": "x"}])
def test_a_fault_that_there_is_not_is_refused(send, simulator, wrong):
    with pytest.raises(ValueError, match='"code":20001'):
        simulator.fault(**wrong)
    assert send().status == "queued"


def test_reset_is_as_at_the_start(send, simulator, receiver, client):
    simulator.fault("callback_late", seconds=0.3)
    send(status_callback=receiver.hook)
    simulator.text(ANN, "STOP")
    wait_for(lambda: simulator.state()["blocks"], 5)
    client.incoming_phone_numbers.list()[0].update(sms_url=receiver.hook)
    simulator.fault("429")
    simulator.dial(pace=9, advanced_opt_out=True)
    simulator.reset()
    assert simulator.state() == {
        "requests": 0, "accepted": 0, "inbound": 0, "callbacks": 0, "blocks": [], "messages": []
    }  # fmt: skip
    assert simulator.phone(ANN) == [] and client.incoming_phone_numbers.list()[0].sms_url == ""
    send(BOB, status_callback=receiver.hook)  # at once again, no fault, no pace
    assert {call.form["To"] for call in receiver.wait(2)} == {BOB}
    simulator.fault("slow", seconds=0.4)
    send(BOB)  # longer than the late callbacks would have waited
    assert {call.form["To"] for call in receiver.calls} == {BOB}
    assert simulator.state(counts=True)["callbacks"] == 2
