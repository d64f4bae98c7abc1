"""A carrier, a mail server and an oncue, all real, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from house import RULES, Mailbox
from oncue.simulator.spawn import Simulator
from oncue.testing import Oncue


@pytest.fixture(scope="session")
def _carrier() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def carrier(_carrier: Simulator) -> Simulator:
    """The simulated carrier, as at the start."""
    _carrier.reset()
    _carrier.dial(pace=0)
    return _carrier


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.start()
    yield box
    box.stop()


Start = Callable[..., Oncue]


@pytest.fixture
def start(carrier: Simulator, tmp_path: Path) -> Iterator[Start]:
    """Start an oncue with rules; it is stopped after the test, and must have ended well."""
    running: list[Oncue] = []

    def begin(rules: str = RULES, *, public: bool = True, **environ: str) -> Oncue:
        given = {
            "TWILIO_ACCOUNT_SID": carrier.account_sid,
            "TWILIO_AUTH_TOKEN": carrier.auth_token,
            "TWILIO_URL": carrier.url,
            "SMTP_URL": "smtp://127.0.0.1:1",
            **environ,
        }
        folder = tmp_path / str(len(running))
        folder.mkdir()
        oncue = Oncue(folder, environ=given, public=public)
        oncue.apply(rules, "--no-check")
        oncue.start()
        running.append(oncue)
        return oncue

    yield begin
    for oncue in running:
        assert oncue.stop() in (0, -15), oncue.log()
        assert "because of a fault in oncue" not in oncue.log(), oncue.log()
