"""`make bench`: how fast oncue is, beside a bare loop and beside what a team would write instead, in the same run on the same machine.

Timings are ratios, since machines are noisy: read the last columns. The load, the carrier simulator and the measured process share the
machine. `python tests/bench/bench.py --quick` takes a fifth of the work.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pages
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from oncue.simulator import defaults
from oncue.simulator.spawn import Simulator
from oncue.testing import Oncue, free_port, wait_for

HERE = Path(__file__).parent
KEY = "test-key-0123456789abcdef"

QUIET = """
api_keys:
  - {name: bench, key: "${env:SHOP_KEY}"}
  - {name: segment, key: segment-key-of-the-bench, source: segment}
  - {name: swrve, key: swrve-key-of-the-bench, source: swrve, app: 4567}
"""
FORMATS = {"Segment's": ("/v1/batch", "segment-key-of-the-bench"), "Swrve's": ("/1/batch", "swrve-key-of-the-bench")}
RULES = """
api_keys: [{name: bench, key: "${env:SHOP_KEY}"}]
adaptors:
  twilio:
    account_sid: "ACCOUNT"
    auth_token: "TOKEN"
    api_base_url: "URL"
    default_sender: "SENDER"
    messages_per_second: 0
rules:
  - key: booking
    state: "on"
    category: transactional
    triggers: [booking_confirmed]
    conditions: [event.amount >= 10]
    actions:
      - {action: twilio.send_message, to: "{{ user.phone_number }}", body: "Hi {{ user.first_name }}, booking {{ event.booking_id }} is confirmed."}
"""


class Measured:
    """A running process under load: its port, and how to look into its database."""

    def __init__(self, port: int, pid: int, database: Path) -> None:
        self.port = port
        self.pid = pid
        self.database = database

    def load(self, **options: Any) -> dict[str, Any]:
        """Run the load against it."""
        options.setdefault("key", KEY)
        command = [sys.executable, str(HERE / "load.py"), "--port", str(self.port)]
        for name, value in options.items():
            command += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        if found["bad"]:
            raise SystemExit(f"{found['bad']} requests were not accepted; the figures would mean nothing.")
        return found

    def count(self, sql: str) -> int:
        """A number from its database."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5)) as database:
            return int(database.execute(sql).fetchone()[0])

    def memory(self) -> float:
        """Resident megabytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def oncue(folder: Path, rules: str, **environ: str) -> Iterator[Measured]:
    """Ours."""
    folder.mkdir()
    running = Oncue(folder, environ=environ)
    running.apply(rules, "--no-check")
    running.start()
    try:
        yield Measured(running.port, running.pid, folder / "data" / "oncue.db")
    finally:
        running.stop()


@contextmanager
def other(script: str, folder: Path, *options: str) -> Iterator[Measured]:
    """The bare loop, or what a team would write instead."""
    folder.mkdir()
    port, database = free_port(), folder / "bench.db"
    command = [sys.executable, str(HERE / script), "--port", str(port), "--database", str(database), *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(port), 15, lambda: (folder / "log").read_text())
        yield Measured(port, process.pid, database)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _answers(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Bench:
    """The sections. Each figure is kept as (section, figure, oncue, bare, instead)."""

    def __init__(self, folder: Path, share: float) -> None:
        self.rows: list[tuple[str, str, float, float, float]] = []
        self._folder = folder
        self._share = share
        self._made = 0

    def intake(self) -> None:
        """Events in and on disk, with no rule waiting for them."""
        one, many = self._n(20_000), self._n(300)
        found = []
        for start in (self._oncue(QUIET), self._other("bare.py"), self._other("instead.py")):
            with start as measured:
                slow = "instead" in str(measured.database)
                measured.load(count=200, prefix="warm")
                single = measured.load(count=one // 10 if slow else one, prefix="one", connections=128)
                batch = measured.load(count=max(4, many // 20) if slow else many, batch=100, prefix="many", connections=8)  # fmt: skip
                count = one // 10 if slow else one
                batches = max(4, many // 20) if slow else many
                found.append((count / single["seconds"], batches * 100 / batch["seconds"], measured.memory()))
                if len(found) == 1:
                    sdks = [(name, *self._sdk(measured, one, many, path, key)) for name, (path, key) in FORMATS.items()]
        self._row("intake", "single-event requests a second", *(one[0] for one in found))
        self._row("intake", "events a second in batches of 100", *(one[1] for one in found))
        for (
            name,
            single_rate,
            batch_rate,
        ) in sdks:  # the others know no such format: beside them stands the same event in our own
            self._row("intake", f"{name} batches of 1 a second", single_rate, *(one[0] for one in found[1:]))
            self._row("intake", f"events a second in {name} of 100", batch_rate, *(one[1] for one in found[1:]))
        self._row("intake", "memory after it, MB", *(one[2] for one in found))

    def _sdk(self, measured: Measured, one: int, many: int, path: str, key: str) -> tuple[float, float]:
        """Requests of one event, and events in batches of 100, a second."""
        prefix = path.strip("/1").replace("/", "")
        single = measured.load(path=path, key=key, count=one // 2, prefix=f"{prefix}one", connections=128)
        batch = measured.load(path=path, key=key, count=many // 2, batch=100, prefix=f"{prefix}many", connections=8)
        return one // 2 / single["seconds"], many // 2 * 100 / batch["seconds"]

    def sending(self) -> None:
        """Event → POST at the carrier: as fast as it goes, then at three rates."""
        n = self._n(5_000)
        rates = (100, 400, 800)
        throughput: list[float] = []
        latency: dict[int, list[tuple[float, float]]] = {rate: [] for rate in rates}
        memory = []
        for script in ("", "bare.py", "instead.py"):
            with Simulator() as carrier, self._sender(script, carrier, callbacks=False) as measured:
                carrier.fault("stuck")  # no callbacks: those are the life cycle's
                measured.load(count=100, prefix="warm")
                self._accepted(carrier, 100)
                count = n if script != "instead.py" else n // 5
                began = time.perf_counter()
                measured.load(count=count, prefix="fast")
                self._accepted(carrier, 100 + count)
                throughput.append(count / (time.perf_counter() - began))
                for rate in rates:
                    if script == "instead.py" and rate > throughput[-1]:
                        latency[rate].append((0.0, 0.0))
                        continue
                    carrier.reset()
                    carrier.fault("stuck")
                    latency[rate].append(self._latency(measured, carrier, rate))
                memory.append(measured.memory())
        self._row("event → POST", "a second", *throughput)
        for rate in rates:
            for which, name in enumerate(("p50", "p99")):
                self._row("event → POST", f"{name} at {rate} a second, ms", *(pair[which] for pair in latency[rate]))
        self._row("event → POST", "memory after it, MB", *memory)

    def _latency(self, measured: Measured, carrier: Simulator, rate: int) -> tuple[float, float]:
        count = self._n(rate * 4)
        load = measured.load(count=count, rate=rate, prefix=f"at{rate}-", times=True)
        self._accepted(carrier, count)
        took = []
        for message in carrier.state()["messages"]:
            n = int(re.search(r"booking (\d+)", message["body"])[1])  # type: ignore[index]
            took.append(message["created_at"] - load["sent"][n] * 1000)
        took.sort()
        return took[len(took) // 2], took[int(len(took) * 0.99)]

    def life_cycles(self) -> None:
        """Event, POST, three signed callbacks, each on disk."""
        n = self._n(3_000)
        found = []
        for script in ("", "bare.py"):
            with Simulator() as carrier, self._sender(script, carrier, callbacks=True) as measured:
                done = (
                    "SELECT COUNT(*) FROM status WHERE status = 'delivered'"
                    if script
                    else "SELECT COUNT(*) FROM store_message WHERE carrier_status = 'delivered'"
                )
                measured.load(count=50, prefix="warm")
                self._counted(measured, done, 50)
                began = time.perf_counter()
                measured.load(count=n, prefix="life")
                self._counted(measured, done, 50 + n)
                found.append(n / (time.perf_counter() - began))
        self._row("life cycle", "event, POST, three signed callbacks, a second", *found)

    def _counted(self, measured: Measured, sql: str, least: int) -> None:
        wait_for(lambda: measured.count(sql) >= least, 60, lambda: f"{measured.count(sql)} of {least}")

    def _accepted(self, carrier: Simulator, least: int) -> None:
        wait_for(lambda: carrier.state(counts=True)["accepted"] >= least, 60)

    def _sender(self, script: str, carrier: Simulator, *, callbacks: bool) -> Any:
        if not script:
            sender = defaults.SERVICE_SID if callbacks else defaults.LONG_CODE
            rules = RULES.replace("ACCOUNT", carrier.account_sid).replace("TOKEN", carrier.auth_token)
            rules = rules.replace("URL", carrier.url).replace("SENDER", sender)
            return self._oncue(rules)
        options = ["--carrier", carrier.url, "--account", carrier.account_sid, "--token", carrier.auth_token]
        return self._other(script, *options, *(["--callbacks"] if callbacks else []))

    def _oncue(self, rules: str) -> Any:
        return oncue(self._next("oncue"), rules)

    def _other(self, script: str, *options: str) -> Any:
        return other(script, self._next(script.removesuffix(".py")), *options)

    def _next(self, name: str) -> Path:
        self._made += 1
        return self._folder / f"{self._made}-{name}"

    def _n(self, count: int) -> int:
        return max(20, int(count * self._share))

    def _row(self, section: str, figure: str, ours: float, bare: float, instead: float = 0.0) -> None:
        self.rows.append((section, figure, ours, bare, instead))


def show(rows: list[tuple[str, str, float, float, float]]) -> None:
    """As a table. A ratio above 1 means more than the other, for times and memory too."""
    table = Table(box=None, pad_edge=False)
    for heading in ("", "", "oncue", "bare loop", "ratio", "Django + twilio", "ratio"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    last = ""
    for section, figure, ours, bare, instead in rows:
        cells = [_shown(bare), f"{ours / bare:.2f}" if bare else "–", _shown(instead), f"{ours / instead:.1f}" if instead else "–"]  # fmt: skip
        table.add_row("" if section == last else section, figure, _shown(ours), *cells)
        last = section
    Console().print(table)


def _shown(value: float) -> str:
    if not value:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), 0.2 if given.quick else 1.0)
        sections: list[tuple[str, Callable[[], None]]] = [
            ("intake", bench.intake),
            ("sending", bench.sending),
            ("life cycles", bench.life_cycles),
        ]
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), transient=True) as progress:
            for name, measure in sections:
                if given.only in name:
                    task = progress.add_task(f"measuring {name} …")
                    measure()
                    progress.remove_task(task)
        if given.only in "pages":
            many = pages.MANY // 10 if given.quick else pages.MANY
            shown = pages.compare(Path(folder) / "pages", many=many)
    if bench.rows:
        show(bench.rows)
    if given.only in "pages":
        pages.show(shown, many=many)
    if given.json:
        given.json.write_text(json.dumps(bench.rows))


if __name__ == "__main__":
    main()
