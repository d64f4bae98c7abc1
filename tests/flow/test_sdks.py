"""The real SDKs, as packages from PyPI and npm: identify and track, and a text arrives; killed in the middle, nothing is lost or doubled."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from house import ANN, RULES
from oncue.testing import wait_for

WRITE_KEY = "seg_write_key"
SDK_RULES = RULES.replace("api_keys:", f"api_keys:\n  - {{name: site, key: {WRITE_KEY}, source: segment}}", 1)
HERE = Path(__file__).parents[1] / "sdks"
INSTALLED = Path(sys.prefix) / "sdks"
"""`make test` installs them."""

COUNT = 1_000


def sdk(program, which):
    def send(url, user, count):
        command = [program, str(HERE / SCRIPTS[program]), which, WRITE_KEY, url, user, str(count)]
        environ = {**os.environ, "NODE_PATH": str(INSTALLED / "node_modules"), "PYTHONPATH": str(INSTALLED / "python")}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return send


PYTHON, NODE = sys.executable, "node"
SCRIPTS = {PYTHON: "send.py", NODE: "send.cjs"}
CLIENTS = {
    "segment-analytics-python": sdk(PYTHON, "segment"),
    "rudder-sdk-python": sdk(PYTHON, "rudder"),
    "@segment/analytics-node": sdk(NODE, "segment"),
    "@rudderstack/rudder-sdk-node": sdk(NODE, "rudder"),
}
IS_WITHOUT_NODE = not shutil.which(NODE)
SDKS = [
    pytest.param(
        client, id=name, marks=pytest.mark.skipif(IS_WITHOUT_NODE and "@" in name, reason="there is no Node here")
    )
    for name, client in CLIENTS.items()
]


@pytest.mark.parametrize("send", SDKS)
def test_identify_and_track_with_a_real_sdk_and_a_text_arrives(start, carrier, send):
    oncue = start(SDK_RULES)
    send(oncue.url, "ann", 1)
    oncue.wait_for_event("twilio.delivered")
    assert [text["body"] for text in carrier.phone(ANN)] == ["Hi Ann, booking B0 is confirmed."]


def test_killed_twice_in_the_middle_of_a_thousand_events_nothing_is_lost_or_doubled(start):
    """All of them at once, a thousand events each."""
    oncue = start(SDK_RULES.replace('state: "on"', 'state: "off"'))
    with ThreadPoolExecutor() as pool:
        clients = {name: client for name, client in CLIENTS.items() if not (IS_WITHOUT_NODE and "@" in name)}
        sending = [pool.submit(send, oncue.url, user, COUNT) for user, send in clients.items()]
        for share in (0.15, 0.5):
            wait_for(lambda: total(oncue) >= share * len(clients) * COUNT, 60, oncue.log)  # noqa: B023
            oncue.kill()
            assert total(oncue) < len(clients) * COUNT
            oncue.start()
        for one in sending:
            one.result(timeout=90)
    assert {user: counted(oncue, user) for user in clients} == dict.fromkeys(clients, (COUNT, COUNT))


def total(oncue):
    """Events of all."""
    return oncue.query("SELECT COUNT(*) FROM store_event WHERE name = 'booking_confirmed'")[0][0]


def counted(oncue, user):
    """Events of a user, and different ones."""
    sql = "SELECT COUNT(*), COUNT(DISTINCT json_extract(properties, '$.booking_id')) FROM store_event WHERE user_id = ? AND name = 'booking_confirmed'"
    return oncue.query(sql, user)[0]
