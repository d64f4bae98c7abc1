"""`make soak MINUTES=60`: a steady load of events, each with its text and its callbacks, and what the process needs meanwhile.

Every ten seconds it looks at resident memory, open files, the queue, the log and how long requests took; at the end it compares the last quarter
with the first, and what the carrier accepted with what was accepted at the door. Exit 1 if memory, files or threads have grown, or the counts differ.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import mean

import msgspec
import uvloop
from load import Connection, request
from rich.console import Console
from rich.table import Table

from bench import KEY, RULES, Measured, oncue
from oncue.simulator import defaults
from oncue.simulator.spawn import Simulator

LOOK_AFTER = 10.0
CONNECTIONS = 16
GROWN = 1.1
"""How much more than in the first quarter is growth; the first four minutes, in which caches fill, are left out."""

WARM_FOR = 240.0


class Sample(msgspec.Struct, frozen=True):
    """One look."""

    at: float
    memory: float
    files: int
    sockets: int
    threads: int
    queue: int
    log: float
    p50: float
    p99: float
    most: float


FIGURES = {
    "memory": "resident memory, MB", "files": "open files", "sockets": "and connections", "threads": "threads", "queue": "items queued", "log": "write-ahead log, MB",
    "p50": "p50 of a request, ms", "p99": "p99, ms", "most": "longest, ms",
}  # fmt: skip


class Soak:
    """The load and the looks."""

    def __init__(self, measured: Measured, rate: float, seconds: float) -> None:
        self.samples: list[Sample] = []
        self.accepted = 0
        self.refused = 0
        self._measured = measured
        self._rate = rate
        self._seconds = seconds
        self._took: list[float] = []

    async def run(self) -> None:
        """Until the time is over."""
        loop = asyncio.get_running_loop()
        free: asyncio.Queue[Connection] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            _, connection = await loop.create_connection(Connection, "127.0.0.1", self._measured.port)
            free.put_nowait(connection)
        looking = loop.create_task(self._look())
        posting: set[asyncio.Task[None]] = set()
        began = time.perf_counter()
        n = 0
        while (passed := time.perf_counter() - began) < self._seconds:
            if n / self._rate > passed:
                await asyncio.sleep(n / self._rate - passed)
            task = loop.create_task(self._post(n, await free.get(), free))
            posting.add(task)
            task.add_done_callback(posting.discard)
            n += 1
        await asyncio.gather(*posting)
        looking.cancel()

    async def _post(self, n: int, connection: Connection, free: asyncio.Queue[Connection]) -> None:
        began = time.perf_counter()
        status = await connection.ask(request("/v1/events", KEY, range(n, n + 1), "soak"))
        self._took.append((time.perf_counter() - began) * 1000)
        self.accepted += status == 202
        self.refused += status != 202
        free.put_nowait(connection)

    async def _look(self) -> None:
        began = time.perf_counter()
        while True:
            await asyncio.sleep(LOOK_AFTER)
            took, self._took = sorted(self._took), []
            queue = await asyncio.to_thread(_queue, self._measured.port)
            open_now = list(_open_files(self._measured.pid))
            sockets = sum(one.startswith("socket:") for one in open_now)
            status = Path(f"/proc/{self._measured.pid}/status").read_text()
            log = Path(f"{self._measured.database}-wal")
            sample = Sample(
                at=time.perf_counter() - began,
                memory=self._measured.memory(),
                files=len(open_now) - sockets,
                sockets=sockets,
                threads=int(re.findall(r"Threads:\s+(\d+)", status)[0]),
                queue=queue,
                log=log.stat().st_size / 1e6 if log.exists() else 0.0,
                p50=took[len(took) // 2],
                p99=took[int(len(took) * 0.99)],
                most=took[-1],
            )
            self.samples.append(sample)
            print(" ".join(f"{name}={getattr(sample, name):g}" for name in sample.__struct_fields__), flush=True)


def _open_files(pid: int) -> Iterator[str]:
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed while one looks
            yield str(one.readlink())


def _queue(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    return int(re.findall(r"^oncue_writer_queue_items (\d+)", text, re.MULTILINE)[0])


def quarters(samples: list[Sample]) -> Iterator[tuple[str, float, float]]:
    """(figure, mean of the first quarter, mean of the last)."""
    warm = [one for one in samples if one.at > WARM_FOR] or samples
    quarter = max(1, len(warm) // 4)
    for name in FIGURES:
        first, last = ([getattr(one, name) for one in some] for some in (warm[:quarter], warm[-quarter:]))
        yield name, *((max(first), max(last)) if name in ("most", "queue") else (mean(first), mean(last)))


def show(samples: list[Sample], counts: dict[str, int]) -> bool:
    """Print the table; whether all is well."""
    table = Table(box=None, pad_edge=False)
    for heading in ("", "first quarter", "last quarter"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    grown = []
    for name, first, last in quarters(samples):
        table.add_row(FIGURES[name], f"{first:,.1f}", f"{last:,.1f}")
        if name in ("memory", "files", "threads") and last > first * GROWN:
            grown.append(FIGURES[name])
    for name, count in counts.items():
        table.add_row(name, "", f"{count:,}")
    Console().print(table)
    for what in grown:
        print(f"Grown: {what}.")
    return not grown and not counts["not accepted"] and counts["events accepted"] == counts["texts at the carrier"]


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Simulator(pace=0.05) as carrier:
        rules = RULES.replace("ACCOUNT", carrier.account_sid).replace("TOKEN", carrier.auth_token)
        rules = rules.replace("URL", carrier.url).replace("SENDER", defaults.SERVICE_SID)
        with oncue(Path(folder) / "soak", rules) as measured:
            soak = Soak(measured, given.rate, given.minutes * 60)
            uvloop.run(soak.run())
            delivered = _settled(measured, carrier, soak.accepted)
            counts = {
                "events accepted": soak.accepted,
                "not accepted": soak.refused,
                "texts at the carrier": carrier.state(counts=True)["accepted"],
                "delivered, by callback": delivered,
            }
    return 0 if show(soak.samples, counts) else 1


def _settled(measured: Measured, carrier: Simulator, wanted: int) -> int:
    """Wait for what is under way, as long as there is more and more of it; how many were delivered."""
    sql = "SELECT COUNT(*) FROM store_message WHERE carrier_status = 'delivered'"
    delivered, since = measured.count(sql), time.perf_counter()
    while delivered < wanted and time.perf_counter() - since < 60:
        time.sleep(1)
        now = measured.count(sql)
        if now > delivered:
            delivered, since = now, time.perf_counter()
    return delivered


if __name__ == "__main__":
    sys.exit(main())
