"""What the tests of Swrve's formats share: an oncue with a key of each source, and bodies as its SDKs make them."""

import hashlib

import msgspec
import pytest

from inside import APP, RULE, SDK_KEYS, SWRVE_KEY, TWILIO
from oncue.core import clock
from oncue.store.jobs import Probe

DEVICE = "112bfd4b-f33e-4623-bcad-1198b70fcb58"
USER = "07bc3700-1467-4c79-a643-9e432e04a200"


@pytest.fixture
def phone(inside):
    """An oncue with a key of each source and one rule."""
    inside.apply(SDK_KEYS + TWILIO + "rules:" + RULE)
    inside.do(Probe())  # reads it
    return inside


def token(user=USER, key=SWRVE_KEY, app=APP, at="1795415725"):
    return f"{app}={user}={at}={hashlib.md5(f'{user}{at}{key}'.encode()).hexdigest()}"


def body(*data, user=USER, **more):
    return {
        "user": user, "app_version": "2.5", "session_token": token(user), "version": 3, "unique_device_id": DEVICE, "data": data, **more
    }  # fmt: skip


def post(inside, content, path="/1/batch", **headers):
    raw = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return inside.call("POST", path, raw, content_type="application/json", **headers)


def send(inside, *data, **more):
    answer = post(inside, body(*data, **more))
    assert (answer.status, answer.body) == (200, b""), answer.body


def item(kind, seqnum=1, ago=0, **more):
    return {"type": kind, "time": clock.now() // 60_000 * 60_000 - ago, "seqnum": seqnum, **more}


def stored(inside, columns="name, properties"):
    return inside.rows(f"SELECT {columns} FROM store_event WHERE depth = 0 ORDER BY seq")
