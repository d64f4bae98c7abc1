"""What holds for every test: the network beyond loopback is refused, and a fault that oncue logs fails the test that caused it."""

import gc
import ipaddress
import logging
import os
import socket

import pytest
from hypothesis import settings

# The same examples on every machine, however busy it is; with HYPOTHESIS_PROFILE=long others each time, and a hundred times as many.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.register_profile("long", deadline=None, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

pytest_plugins = ["running"]

# What collecting makes stays to the end: looking through it for garbage, again and again, takes half of the time.
gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that leaves this machine is a mistake."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]  # type: ignore[index]
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _faults_are_loud(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture):
    """Faults are contained in production; here they fail. A test that means to cause one is marked `faults`."""
    yield
    if request.node.get_closest_marker("faults"):
        return
    logged = [
        record
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.exc_info and record.levelno >= logging.ERROR
    ]
    assert not logged, [record.getMessage() for record in logged]
