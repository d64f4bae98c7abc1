"""A carrier, a mail server and an oncue, all real, on loopback."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forked import Oncue
from house import RULES, Mailbox
from oncue.adaptors.twilio import adaptor as twilio
from oncue.simulator.spawn import Simulator
from oncue.workers.checks import set_inbound


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


@pytest.fixture(scope="session")
def _applied() -> dict[tuple[object, ...], Path]:
    """Data directories in which rules were applied already, to be copied: the same rules cost one `oncue apply`."""
    return {}


@pytest.fixture
def start(carrier: Simulator, tmp_path: Path, _applied: dict[tuple[object, ...], Path]) -> Iterator[Start]:
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
        wanted = (rules, *sorted(given.items()))
        if wanted in _applied:
            shutil.copytree(_applied[wanted], folder, dirs_exist_ok=True)
        else:
            oncue.apply(rules, "--no-check")
            kept = tmp_path / f"applied-{len(running)}"
            _applied[wanted] = Path(shutil.copytree(folder, kept))
        running.append(oncue)  # before it starts: whatever fails next, it is ended
        oncue.start()
        if public and "twilio" in rules and given["TWILIO_URL"] == carrier.url:
            _listen(oncue, given)
        return oncue

    def _listen(oncue: Oncue, given: dict[str, str]) -> None:
        """Replies come to us: what `oncue check --set-inbound twilio` does."""
        config = {
            "account_sid": given["TWILIO_ACCOUNT_SID"],
            "auth_token": given["TWILIO_AUTH_TOKEN"],
            "api_base_url": given["TWILIO_URL"],
        }
        assert asyncio.run(set_inbound(twilio, config, f"{oncue.url}/hooks/twilio/message")).ok

    yield begin
    for oncue in running:
        assert oncue.stop() in (0, -15), oncue.log()
        assert "because of a fault in oncue" not in oncue.log(), oncue.log()
