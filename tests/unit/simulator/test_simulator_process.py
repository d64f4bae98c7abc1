"""`oncue simulate` and `python -m oncue.simulator`: a process that says where it listens, keeps its state, and ends when it is told."""

import http.client
import json
import signal
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest
from twilio.rest import Client

from oncue.simulator import defaults
from oncue.simulator.serve import NotLoopback, listen
from oncue.simulator.spawn import Simulator

ANN = "+15005551001"
ENDED = (0, -signal.SIGTERM)


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "oncue", "simulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def get(url, path):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    return connection, answer


def test_oncue_simulate_says_where_it_listens_and_ends_on_sigterm():
    process = start("--port", "0", "--pace", "0")
    line = process.stdout.readline()
    assert line.startswith("simulator ready on http://127.0.0.1:")
    url = line.split()[-1]
    client = Client(defaults.ACCOUNT_SID, defaults.AUTH_TOKEN)
    client.api.base_url = url
    assert client.messages.create(to=ANN, from_=defaults.LONG_CODE, body="Hello").status == "queued"
    client.http_client.session.close()
    events, stream = get(url, "/_sim/events")  # somebody watches; that must not hold it up
    assert stream.readline() == b": watching\n"
    process.terminate()
    out, err = process.communicate(timeout=10)
    events.close()
    assert process.returncode in ENDED and out == ""
    assert defaults.ACCOUNT_SID in err and defaults.AUTH_TOKEN in err and "Traceback" not in err


def test_a_port_that_is_taken_is_refused_with_a_sentence(simulator):
    taken = start("--port", str(urlsplit(simulator.url).port))
    out, err = taken.communicate(timeout=10)
    assert (taken.returncode, out) == (1, "") and "choose another --port" in " ".join(err.split())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_listens_where_others_reach_it_only_when_somebody_insists(host):
    with pytest.raises(NotLoopback):
        listen(host, 0)
    if host == "0.0.0.0":
        listen(host, 0, anywhere=True).close()


def test_state_survives_for_the_length_of_a_run_and_no_longer():
    with Simulator() as running:
        running.text(ANN, "STOP")
        for client in (Client(defaults.ACCOUNT_SID, defaults.AUTH_TOKEN) for _ in range(2)):  # two clients, one carrier
            client.api.base_url = running.url
            client.messages.create(to="+15005551002", from_=defaults.LONG_CODE, body="Hello")
            client.http_client.session.close()
        state = running.state()
        assert (state["accepted"], state["inbound"], len(state["messages"])) == (2, 1, 2)
        assert state["blocks"] == [[defaults.LONG_CODE, ANN]]
    with Simulator() as running:
        assert running.state(counts=True) == {"requests": 0, "accepted": 0, "inbound": 0, "callbacks": 0}


def test_whoever_watches_hears_of_texts_and_statuses_as_they_happen(simulator, client):
    events, stream = get(simulator.url, "/_sim/events")
    assert [stream.readline(), stream.readline()] == [b": watching\n", b"\n"]
    message = client.messages.create(to=ANN, from_=defaults.LONG_CODE, body="Hello")
    heard = []
    while len(heard) < 3:
        line = stream.readline()
        if line.startswith(b"data: "):
            heard.append(json.loads(line[6:]))
    assert [one.get("status", one["kind"]) for one in heard] == ["sent", "delivered", "text"]
    assert heard[2]["sid"] == message.sid and heard[2]["body"] == "Hello" and heard[2]["phone"] == ANN
    events.close()


def test_three_hundred_messages_at_once_are_each_accepted_once(simulator, connect):
    def burst():
        client = connect(defaults.ACCOUNT_SID, defaults.AUTH_TOKEN)
        for _ in range(50):
            sids.append(client.messages.create(to=ANN, from_=defaults.LONG_CODE, body="Hello").sid)

    sids: list[str] = []
    threads = [threading.Thread(target=burst) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(sids)) == 300
    assert {message["sid"] for message in simulator.messages()} == set(sids)


@pytest.mark.parametrize("path", ["nonsense", "phones/+1/nonsense"])
def test_a_wrong_turn_of_the_dial_says_what_there_is(simulator, path):
    connection, answer = get(simulator.url, f"/_sim/{path}")
    body = json.loads(answer.read())
    connection.close()
    assert answer.status == 404 and "GET /_sim/state" in body["message"]
