"""Crashes, counted by the carrier: oncue is killed again and again under load, with a carrier at its worst, and then what the carrier
accepted is compared with what was accepted at the door.

`make crash` runs it at length (`python tests/crashing.py --kills 300 --seed 1`); `make test` in short.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path

import msgspec

from crash_steps import STEPS
from fault_hooks import GRACE
from forked import DIE_AT, Oncue
from house import RULES
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for

FAULTS = {
    "500_after": 0.03, "drop_after": 0.03, "500_before": 0.02, "drop_before": 0.02, "503": 0.01, "429": 0.02,
    "callback_lost": 0.1, "callback_repeat": 0.1, "callback_reorder": 0.1, "callback_early": 0.05,
}  # fmt: skip
HANGS = 0.01
REFUSED = 0.02
GRACE_FOR = 1.5
"""Seconds; longer than the carrier takes to accept what it accepts."""

PAUSE_FOR = 0.03
"""Seconds between a client's calls: load, not a test of speed."""

BATCH = 5
_HEADERS = {"Content-Type": "application/json"}


class Tally(msgspec.Struct):
    """What is printed. The last three must be 0."""

    kills: Counter[str]
    accepted: int
    texts: int
    refused: int
    expired: int
    sent_again: int
    found: int
    duplicates: int
    lost: int
    unexplained: int
    sound: bool

    @property
    def is_good(self) -> bool:
        """Whether nothing was sent twice, nothing was lost, and the database is whole."""
        return self.sound and not (self.duplicates or self.lost or self.unexplained)

    def __str__(self) -> str:
        rows = [
            ("kills", self.kills.total()), ("events accepted", self.accepted), ("texts at the carrier", self.texts),
            ("refused by the carrier", self.refused), ("too late, and so not sent", self.expired), ("answers lost, found in the carrier's list", self.found),
            ("not there, sent again", self.sent_again), ("duplicates", self.duplicates), ("lost", self.lost),
            ("unexplained", self.unexplained), ("integrity_check", "ok" if self.sound else "FAILED"),
        ]  # fmt: skip
        table = "\n".join(
            f"| {name} | {value:,} |" if isinstance(value, int) else f"| {name} | {value} |" for name, value in rows
        )
        steps = "\n".join(f"| killed at: {name} | {count} |" for name, count in sorted(self.kills.items()))
        return f"| | |\n|---|---:|\n{table}\n{steps}"


class Load:
    """Clients that post without pause, and repeat what was not answered, as clients do."""

    def __init__(self, oncue: Oncue, clients: int = 2, pause_for: float = PAUSE_FOR) -> None:
        self.answered: set[int] = set()
        self._pause_for = pause_for
        self._oncue = oncue
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._post, args=(n, clients)) for n in range(clients)]
        for one in self._threads:
            one.start()

    def stop(self) -> None:
        """Each finishes what it began."""
        self._done.set()
        for one in self._threads:
            one.join(60)
            assert not one.is_alive()

    def ask(self, *items: dict[str, object]) -> bool:
        """Post once; whether it was answered 202."""
        try:
            self._oncue.post(*items)
        except (OSError, HTTPException, AssertionError):  # an answer cut short by the kill is no answer
            return False
        return True

    def _post(self, first: int, step: int) -> None:
        n = first
        while not self._done.is_set():
            numbers = range(n * BATCH, (n + 1) * BATCH)
            while True:
                if self.ask(*map(booking, numbers)):
                    break
                time.sleep(0.02)
            self.answered.update(numbers)
            n += step
            self._done.wait(self._pause_for)


class Asking(Load):
    """Counts the answers, and how long the slowest took."""

    def __init__(self, oncue: Oncue, pause_for: float) -> None:
        self.accepted = self.refused = self.cut = 0
        self.slowest = 0.0
        super().__init__(oncue, pause_for=pause_for)

    def ask(self, *items: dict[str, object]) -> bool:
        """One request."""
        began = time.monotonic()
        headers = {**_HEADERS, "Authorization": f"Bearer {self._oncue.key}"}
        try:
            status, _, _ = self._oncue.call("POST", "/v1/events", msgspec.json.encode({"items": items}), headers)
        except (OSError, HTTPException):
            self.cut += 1
            return False
        finally:
            self.slowest = max(self.slowest, time.monotonic() - began)
        assert status in (202, 503), status
        self.accepted += status == 202
        self.refused += status == 503
        return status == 202


def number(n: int) -> str:
    """A phone of their own for everybody."""
    return f"+1{201 + n // 1_000_000}{2_000_000 + n % 1_000_000:07d}"


def booking(n: int) -> dict[str, object]:
    """The n-th event: one text follows from it."""
    who = {"first_name": f"U{n}", "phone_number": number(n)}
    return {"type": "event", "user": f"u{n}", "name": "booking_confirmed", "id": f"b{n}", "properties": {"booking_id": n}, "user_properties": who}  # fmt: skip


AT_RANDOM = "a random moment"


def run(folder: Path, carrier: Simulator, *, plan: Iterable[str], seed: int) -> Tally:
    """Kill at each of these moments: a step of `STEPS`, or `AT_RANDOM`. A step that is not reached within seconds is a random moment."""
    chance = random.Random(seed)
    carrier.dial(pace=0.02)
    for kind, rate in FAULTS.items():
        carrier.fault(kind, rate=rate)
    carrier.fault("hang", rate=HANGS, seconds=0.5)
    carrier.fault("refuse", rate=REFUSED, code=21211)
    environ = {"TWILIO_ACCOUNT_SID": carrier.account_sid, "TWILIO_AUTH_TOKEN": carrier.auth_token, "TWILIO_URL": carrier.url, "SMTP_URL": "smtp://127.0.0.1:1", GRACE: str(GRACE_FOR)}  # fmt: skip
    oncue = Oncue(folder, environ=environ)
    oncue.apply(RULES, "--no-check")
    died: Counter[str] = Counter()
    load: Load | None = None
    for step in plan:
        oncue.environ[DIE_AT] = f"{chance.randint(1, STEPS[step][-1])} {step}" if step in STEPS else ""
        oncue.start(may_die=step in STEPS)
        load = load or Load(oncue)
        if step in STEPS and oncue.dies_within(3.0):
            died[step] += 1
        else:
            time.sleep(chance.uniform(0.0, 0.6))
            oncue.kill()
            died[AT_RANDOM] += 1
    oncue.environ[DIE_AT] = ""
    oncue.start()
    assert load is not None
    load.stop()
    carrier.clear_faults()
    settle(oncue)
    tally = count(oncue, carrier, load.answered, died)
    oncue.stop()
    return tally


def settle(oncue: Oncue, within: float = 120) -> None:
    """Wait until nothing is under way any more, nor in doubt. For as long as it takes, if there is less and less of it within such a time."""
    which = "state IN ('waiting', 'submitting', 'unknown')"

    def left() -> int:
        return int(oncue.query(f"SELECT COUNT(*) FROM store_message WHERE {which}")[0][0])

    while before := left():
        wait_for(lambda before=before: left() < before, within, lambda: str(oncue.messages(which)[:5]))  # type: ignore[misc]


def count(oncue: Oncue, carrier: Simulator, answered: set[int], died: Counter[str]) -> Tally:
    """Compare what the carrier accepted with what was accepted at the door."""
    texts = Counter(one["to"] for one in carrier.state()["messages"])
    wanted = {number(n) for n in answered}
    found = {one["recipient"]: one for one in oncue.messages("adaptor = 'twilio'")}
    refused = {to for to, one in found.items() if one["state"] == "rejected" and "21211" in one["error_code"]}
    expired = {to for to, one in found.items() if one["state"] == "expired"}
    counted = dict(
        oncue.query("SELECT name, SUM(count) FROM store_counter WHERE name IN ('found', 'sent_again') GROUP BY name")
    )
    events = oncue.query("SELECT COUNT(*), COUNT(DISTINCT user_id) FROM store_event WHERE name = 'booking_confirmed'")[
        0
    ]
    return Tally(
        kills=died,
        accepted=len(answered),
        texts=texts.total(),
        refused=len(refused),
        expired=len(expired),
        sent_again=counted.get("sent_again", 0),
        found=counted.get("found", 0),
        duplicates=sum(count - 1 for count in texts.values()) + (events[0] - events[1]),
        lost=len(wanted - set(texts) - refused - expired) + (len(answered) - events[0]),
        unexplained=len(set(texts) - wanted) + sum(1 for to, one in found.items() if (one["state"] == "accepted") != (to in texts)),
        sound=oncue.query("PRAGMA integrity_check") == [("ok",)],
    )  # fmt: skip


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    given = parser.parse_args()
    print(f"{given.kills} kills, seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, Simulator() as carrier:
        steps = list(STEPS)
        plan = [steps[kill // 2 % len(steps)] if kill % 2 else AT_RANDOM for kill in range(given.kills)]
        tally = run(Path(folder), carrier, plan=plan, seed=given.seed)
    print(tally)
    return 0 if tally.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
