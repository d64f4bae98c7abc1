"""What the running oncue says of itself, asked at its own address. For `oncue doctor`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from oncue import __version__
from oncue.core.finding import Finding, ok, problem, unseen, warning
from oncue.core.http import NotSent, Response
from oncue.core.probe import Arrival
from oncue.workers.http import Client

_WITHIN = 10.0
"""Seconds. `/readyz` itself takes up to five to say that nothing is committed."""

BEHIND = 600
"""Seconds by which asking after late messages may lag."""

LONG_QUEUE = 5_000
"""Items waiting to be committed: seconds of work."""

_SAMPLE = re.compile(r'^oncue_(\w+)(?:\{adaptor="(\w+)"(?:,result="(\w+)")?\})? (\S+)$', re.MULTILINE)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and what the process said of a call that went to it directly; None if it does not run."""

    findings: tuple[Finding, ...]
    here: Arrival | None = None


async def ask(url: str, ticket: str, public_url: str, holder: str) -> Asked:
    """Ask the oncue at this address of this machine. `public_url` is as this program was told; `holder` the process that has the data
    directory, empty if none has."""
    client = Client()
    try:
        answer = await client.request("POST", f"{url}/hooks/oncue/{ticket}", deadline=_WITHIN, trusted=True)
        if not isinstance(answer, Response):
            return Asked(findings=(_silent(url, holder, isinstance(answer, NotSent)),))
        try:
            here = msgspec.json.decode(answer.body, type=Arrival)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Asked(findings=(_another(url, answer, holder),))
        ready = await client.request("GET", f"{url}/readyz", deadline=_WITHIN, trusted=True)
        metrics = await client.request("GET", f"{url}/metrics", deadline=_WITHIN, trusted=True)
    finally:
        await client.close()
    findings = [*_itself(url, here, public_url), _ready(ready), *_measured(metrics)]
    return Asked(findings=tuple(findings), here=here)


def _silent(url: str, holder: str, is_refused: bool) -> Finding:
    if holder:
        return problem(
            "server",
            f"Process {holder} has the data directory, but {'nothing listens' if is_refused else 'no answer comes'} at {url}.",
            "If it listens on another port, say so with --port; else look into its log.",
        )
    return warning(
        "server", f"oncue does not run: nothing answers at {url}, and no process has the data directory.", "Start it: `oncue serve`."
    )  # fmt: skip


def _another(url: str, answer: Response, holder: str) -> Finding:
    what = f"Something answers at {url} (status {answer.status}), but not the oncue of this data directory"
    what += f", which process {holder} has." if holder else ", which no process has."
    return problem("server", what, "Stop what is there or, if this oncue listens on another port, say so with --port.")


def _itself(url: str, here: Arrival, public_url: str) -> Iterator[Finding]:
    yield ok("server", f"oncue {here.version} runs at {url}.")
    if here.version != __version__:
        yield warning("server", f"It runs as version {here.version}; installed is {__version__}.", "Start it again.")
    if here.public_url != public_url:
        yield problem(
            "server",
            f"It was started with {here.public_url or 'no'} public URL; here ONCUE_PUBLIC_URL is {public_url or 'unset'}.",
            "Run both with the same settings, and start oncue again if its own are the wrong ones.",
        )


def _ready(answer: Any) -> Finding:
    try:
        said = msgspec.json.decode(answer.body, type=dict[str, Any]) if isinstance(answer, Response) else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = {}
    if said.get("ready"):
        return ok("readiness", "The database commits.")
    if said.get("problem"):
        return problem("readiness", str(said["problem"]), "Look at the disk below and into oncue's log.")
    return unseen("readiness", "/readyz did not say.", "Look into oncue's log.")


def _measured(answer: Any) -> Iterator[Finding]:
    if not isinstance(answer, Response) or answer.status != 200:
        yield unseen("queue", "/metrics did not say.", "Look into oncue's log.")
        return
    queue = 0
    calls: dict[str, Counter[str]] = {}
    for name, adaptor, result, value in _SAMPLE.findall(answer.text()):
        if name == "writer_queue_items":
            queue = int(float(value))
        elif name == "provider_calls_total":
            calls.setdefault(adaptor, Counter())[result] += int(float(value))
        elif name == "reconciler_behind_seconds" and float(value) > BEHIND:
            yield warning(
                f"{adaptor} late statuses",
                f"Asking after messages whose status is late lags {float(value) / 60:.0f} minutes behind.",
                "Mend the callbacks, so that fewer are late.",
            )
    waiting = f"{queue:,} items wait to be committed."
    yield (
        warning("queue", waiting, "Look at the disk's speed, and at who sends so much.")
        if queue > LONG_QUEUE
        else ok("queue", waiting)
    )
    for adaptor, counted in calls.items():
        said = f"Since oncue started, {counted['heard']:,} calls were believed and {counted['refused']:,} refused."
        yield (
            warning(
                f"{adaptor} callbacks",
                said,
                "oncue's log says why each was; the proxy, below, may be what changes them.",
            )
            if counted["refused"] > counted["heard"]
            else ok(f"{adaptor} callbacks", said)
        )
