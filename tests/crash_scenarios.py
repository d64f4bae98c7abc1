"""What may befall a program that goes on running: each under load, counted by the carrier as in crashing.py.

While a fault lasts in which nothing can be stored, events are answered 503 within seconds and never 2xx, and `/readyz` says why; afterwards the
same process goes on by itself. `make crash SCENARIO="carrier down" SECONDS=1800` runs one of them, for so long; `make crash` all, after the kills;
and `make test` all in short.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from crashing import GRACE_FOR, PAUSE_FOR, Asking, Tally, count, settle
from fault_hooks import CLOCK, FILES, GRACE, PLAIN, STALE, WallClock
from forked import Oncue
from house import RULES
from oncue.core import clock
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for
from relay import Relay

FEW_FILES = 260
CROWD = 2 * FEW_FILES
FLOODING = 40
GENTLE_FOR = 0.2
"""Seconds between a client's calls where what waits must have its turn within seconds on any machine."""
NOISY = "noisy-key-0123456789abcdef"
STALE_AFTER = 1.0
SOON = "1s"
"""How long a message of the stopped process is worth sending: less than the process is stopped for."""


A_CALL = 1_500
"""Milliseconds from the last look at the clock until the carrier notes its own, on a machine that is busy; less than what is past its time is late by."""


_BEGUN_LATE = """
SELECT message, number FROM store_attempt JOIN store_message ON id = message
WHERE started_at > send_by AND NOT outcome IN ('', 'Retry') AND NOT exchange = '[]'
"""
"""Calls that were begun after the last look should have forbidden them: to the millisecond."""


class Stage(msgspec.Struct):
    """What a fault has to work with."""

    oncue: Oncue
    carrier: Simulator
    relay: Relay
    load: Asking
    clock: WallClock
    seconds: float

    def unready(self) -> str:
        """What `/readyz` says, once it says that oncue is not ready; nothing was accepted since."""
        said: list[str] = []
        wait_for(
            lambda: said.append(self._problem()) or said[-1], 20, lambda: "/readyz goes on saying that all is well"
        )
        return said[-1]

    def refuses(self) -> None:
        """Stay as long as the fault lasts: whatever is asked is refused."""
        accepted, refused = self.load.accepted, self.load.refused
        time.sleep(self.seconds)
        assert self.load.accepted == accepted, "an event was accepted that cannot have been stored"
        assert self.load.refused > refused, "nobody was told to come back"

    def accepts(self, within: float = 30) -> None:
        """Events are accepted, and oncue is ready."""
        before = self.load.accepted
        wait_for(lambda: self.load.accepted > before + 5 and not self._problem(), within, lambda: f"it did not recover: {self._problem()} {self.oncue.log()[-3000:]}")  # fmt: skip

    def waiting(self) -> set[str]:
        """Messages that wait for their turn."""
        return {one for (one,) in self.oncue.query("SELECT id FROM store_message WHERE state = 'waiting'")}

    def go(self, waiting: set[str]) -> None:
        """None of these waits any more."""
        wait_for(lambda: not waiting & self.waiting(), 20, lambda: "what waited when the clock jumped waits on")

    def _problem(self) -> str:
        try:
            status, _, body = self.oncue.call("GET", "/readyz")
        except OSError as error:
            return str(error)
        found = msgspec.json.decode(body)
        return "" if status == 200 else str(found.get("problem") or found["error"])


Fault = Callable[[Stage], str]
"""Causes it, stays as long as it lasts, and ends it; what `/readyz` said."""


class Result(msgspec.Struct):
    """A row of the table."""

    name: str
    seconds: float
    tally: Tally
    refused: int
    slowest: float
    said: str

    def row(self) -> str:
        """In Markdown."""
        figures = (
            self.tally.accepted,
            self.tally.texts,
            self.tally.expired,
            self.tally.duplicates,
            self.tally.lost,
            self.tally.unexplained,
        )
        said = f"“{self.said}”" if self.said else "ready"
        return f"| {self.name} | {self.seconds:,.0f} | {self.refused:,} | {self.slowest:.1f} | " + " | ".join(f"{n:,}" for n in figures) + f" | {said} |"  # fmt: skip


HEAD = (
    "| | seconds | refused with 503 | slowest answer, s | events accepted | texts at the carrier | too late, not sent | duplicates | lost | unexplained | `/readyz` meanwhile |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
)


def disk_full(stage: Stage) -> str:
    """The file system of the data directory is full; where none can be mounted, the process may write no further."""
    data = stage.oncue.folder / "data"
    if not os.path.ismount(data):
        return _no_file_grows(stage)
    filler = data / "filler"
    with filler.open("wb", buffering=0) as file:

        def fill() -> bool:
            with suppress(OSError):
                while file.write(bytes(4_096)):
                    pass
            return False

        before = stage.load.refused
        wait_for(lambda: fill() or stage.load.refused > before, 30, lambda: "it found room to write all the same")
        said = stage.unready()
        stage.refuses()
    filler.unlink()
    return said


def _no_file_grows(stage: Stage) -> str:
    before = resource.prlimit(stage.oncue.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(stage.oncue.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    said = stage.unready()
    stage.refuses()
    resource.prlimit(stage.oncue.pid, resource.RLIMIT_FSIZE, before)
    return said


def read_only(stage: Stage) -> str:
    """Neither the database nor its directory may be written. What is open stays writable, so a lock first makes oncue open it anew."""
    data = stage.oncue.folder / "data"
    modes = {path: path.stat().st_mode for path in (*data.glob("oncue.db*"), data)}
    with _locked(data / "oncue.db"):
        stage.unready()
        for path in modes:
            path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        wait_for(lambda: "lock" not in stage._problem(), 10)
        said = stage.unready()
        stage.refuses()
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    return said


def locked(stage: Stage) -> str:
    """Another process holds the write lock for longer than is waited for."""
    with _locked(stage.oncue.folder / "data" / "oncue.db"):
        said = stage.unready()
        stage.refuses()
    return said


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.execute("ROLLBACK")


def clock_jumps(stage: Stage) -> str:
    """The wall clock goes wrong by an hour and by a day, both ways, and is set right each time. What waits then goes all the same."""
    stage.carrier.fault("429", rate=0.1)  # so that some always wait for their next try
    waiting: set[str] = set()
    for wrong in (clock.HOUR, -clock.HOUR, clock.DAY, -clock.DAY):
        for wrong_by in (wrong, 0):
            waiting |= stage.waiting()
            stage.clock.wrong_by = wrong_by
            if (
                wrong_by < clock.DAY
            ):  # by which all that waits would be too late, so that it is held until that is certain
                stage.go(waiting)
            time.sleep(stage.seconds / 8)
            stage.accepts()
    stage.carrier.clear_faults()
    return ""


def stopped(stage: Stage) -> str:
    """SIGSTOP, for longer than a claim holds and a message is worth sending, then SIGCONT; twice, since the moment matters. The carrier was away
    just before, so that some wait to be tried again when they are too late."""
    for _ in range(2):
        stage.relay.shut()
        stage.accepts()
        wait_for(stage.waiting, 10)
        os.kill(stage.oncue.pid, signal.SIGSTOP)
        stage.relay.open()
        time.sleep(stage.seconds / 2)
        os.kill(stage.oncue.pid, signal.SIGCONT)
        stage.accepts()
    return ""


def files_exhausted(stage: Stage) -> str:
    """More connections than the process may have files, all silent. Whoever has something to ask is served all the same."""
    silent: list[socket.socket] = []
    until = time.monotonic() + stage.seconds
    is_crowded = False
    while time.monotonic() < until or not is_crowded:
        with suppress(OSError):
            silent.append(socket.create_connection(("127.0.0.1", stage.oncue.port), 1))
        if len(silent) > CROWD:
            is_crowded = True
            stage.accepts()
            silent.pop(0).close()
    for one in silent:
        one.close()
    return ""


def carrier_down(stage: Stage) -> str:
    """Connections are refused for half of the time, and then answered 503 for the other half. Events are accepted throughout."""
    stage.relay.shut()
    stage.accepts()
    time.sleep(stage.seconds / 2)
    stage.accepts()
    stage.carrier.fault("503")
    stage.relay.open()
    time.sleep(stage.seconds / 2)
    stage.accepts()
    stage.carrier.clear_faults()
    return ""


def overload(stage: Stage) -> str:
    """Another key sends far more than can be taken in. It is refused; the load has its turn all the same."""
    body = msgspec.json.encode({"items": [{"type": "event", "user": "noisy", "name": "noise"}] * 1_000})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {NOISY}"}
    until = time.monotonic() + stage.seconds
    answers: set[int] = set()

    def flood() -> None:
        while time.monotonic() < until:
            answers.add(stage.oncue.call("POST", "/v1/events", body, headers)[0])

    refused = stage.load.refused
    threads = [threading.Thread(target=flood) for _ in range(FLOODING)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == {202, 503}, answers
    assert stage.load.refused == refused, "a key that sends little was refused for one that sends much"
    return ""


SCENARIOS: dict[str, tuple[Fault, float, float]] = {
    "disk full": (disk_full, 1, 20),
    "database read-only": (read_only, 1, 20),
    "database locked": (locked, 1, 20),
    "clock wrong by an hour and a day": (clock_jumps, 0, 40),
    "stopped and continued": (stopped, 7, 120),
    "out of files": (files_exhausted, 2, 30),
    "carrier down": (carrier_down, 2, 60),
    "one key floods": (overload, 2, 20),
}
"""Name → (fault, seconds in short, seconds at length)."""


def play(name: str, folder: Path, carrier: Simulator, seconds: float) -> Result:
    """One scenario. Raises AssertionError when something is not as it must be meanwhile."""
    fault = SCENARIOS[name][0]
    carrier.reset()
    carrier.dial(pace=0.02)
    relay = Relay(carrier.url)
    environ = {"TWILIO_ACCOUNT_SID": carrier.account_sid, "TWILIO_AUTH_TOKEN": carrier.auth_token, "TWILIO_URL": relay.url, "SMTP_URL": "smtp://127.0.0.1:1", GRACE: str(GRACE_FOR)}  # fmt: skip
    rules = RULES.replace("api_keys:\n", f"api_keys:\n  - {{name: noisy, key: {NOISY}}}\n")
    if fault is stopped:
        environ[STALE] = str(min(STALE_AFTER, seconds / 4))
        rules = rules.replace(
            "    name: Booking confirmation\n", f"    name: Booking confirmation\n    send_within: {SOON}\n"
        )
    if fault is files_exhausted:
        environ[FILES] = str(FEW_FILES)
    if fault is read_only:
        environ[PLAIN] = "1"
    environ[CLOCK] = str(folder / "clock")
    wall = WallClock(folder / "clock")
    try:
        with _file_system(folder / "data", fault is disk_full):
            return _played(name, fault, Oncue(folder, environ=environ), rules, carrier, relay, wall, seconds)
    finally:
        relay.stop()


def _played(name: str, fault: Fault, oncue: Oncue, rules: str, carrier: Simulator, relay: Relay, wall: WallClock, seconds: float) -> Result:  # fmt: skip
    oncue.apply(rules, "--no-check")
    oncue.start()
    load = None
    try:
        load = Asking(oncue, GENTLE_FOR if fault is clock_jumps else PAUSE_FOR)
        stage = Stage(oncue, carrier, relay, load, wall, seconds)
        stage.accepts()
        said = fault(stage)
        stage.accepts()
        load.stop()
        settle(oncue)
        tally = count(oncue, carrier, load.answered, Counter())
        if fault is not clock_jumps:
            send_by = dict(oncue.query("SELECT recipient, send_by FROM store_message"))
            late = [one for one in carrier.state()["messages"] if one["created_at"] > send_by[one["to"]] + A_CALL]
            late += oncue.query(_BEGUN_LATE)
            assert not late, f"posted after its send-by time: {late[:3]}"
    finally:
        if load:
            load.stop()
        code = oncue.stop()
    assert code in (0, -15), oncue.log()  # the same process all the time
    return Result(name, seconds, tally, load.refused, load.slowest, said)


@contextmanager
def _file_system(path: Path, small: bool) -> Iterator[None]:
    """A small one of its own, where it can be mounted."""
    path.mkdir(mode=0o700, exist_ok=True)
    mounted = small and os.geteuid() == 0 and not subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", path], capture_output=True, check=False).returncode  # fmt: skip
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", path], check=True)


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--scenario", choices=SCENARIOS)
    parser.add_argument("--seconds", type=float)
    given = parser.parse_args()
    print(HEAD)
    is_good = True
    with Simulator() as carrier:
        for name in [given.scenario] if given.scenario else SCENARIOS:
            with tempfile.TemporaryDirectory() as folder:
                seconds = given.seconds or SCENARIOS[name][2]
                result = play(name, Path(folder), carrier, seconds)
            print(result.row(), flush=True)
            is_good = is_good and result.tally.is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
