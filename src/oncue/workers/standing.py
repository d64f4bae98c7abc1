"""How the work stands, and whether anybody would hear if it did not go well. For `oncue doctor`: it reads the store, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from oncue.core import clock
from oncue.core.finding import Finding, ok, problem, warning
from oncue.store import alerting, alerts, held, hours, members
from oncue.store.config import Snapshot
from oncue.store.rows import rows
from oncue.workers import heralds
from oncue.workers.watch import Watch

OVERDUE = 5 * clock.MINUTE
"""How long a message may wait for its turn."""

_GRAVE = frozenset({"paused", "silence"})
"""Kinds of alarms that are problems; the others are warnings: they tell of what has happened."""

_SAID = frozenset({"inactive", "rule_stopped", "unknown"})
"""Kinds that other findings tell more of."""

_WEEK = 7


def alarms(snapshot: Snapshot, public_url: str) -> Iterator[Finding]:
    """What members are alerted of while oncue runs."""
    opened = alerts.open_ones()
    known = frozenset((row["kind"], row["key"]) for row in opened)
    looked = Watch().look(snapshot, public_url, known)
    found = [(one.kind, one.sentence) for one in looked if one.kind not in _SAID]
    # Whether a provider answers is known to the process that calls it.
    found += [(row["kind"], row["sentence"]) for row in opened if row["kind"] == "unreachable"]
    for kind, sentence in found:
        about = f"alert: {kind.replace('_', ' ')}"
        yield problem(about, sentence, "") if kind in _GRAVE else warning(about, sentence)
    if not found:
        yield ok("alerts", "There is nothing that members would be alerted of.")


def waiting(is_running: bool) -> Iterator[Finding]:
    """What waits, and since when; what is in doubt."""
    holding = held.holding()
    counted = f"{holding.waiting:,}{' or more' if holding.is_more else ''}"
    yield ok("messages", f"{counted} wait, {holding.submitting:,} are being sent.")
    now = clock.now()
    for one in holding.held:
        overdue = now - one.next_at
        if one.why == held.PACING and overdue > OVERDUE:
            remedy = "Raise the rate of its sender, or use more than one." if is_running else "Start oncue."
            yield warning(
                one.adaptor, f"{one.count:,} messages wait for their turn, the first for {overdue // clock.MINUTE} minutes.", remedy
            )  # fmt: skip
        elif one.why == held.INACTIVE:
            yield warning(
                one.adaptor, f"{one.count:,} messages wait for it; it is not active.", "Activate it on its page."
            )
    if holding.unknown:
        yield warning(
            "messages",
            f"Of {holding.unknown:,} it is not known whether the provider took them.",
            "`oncue messages --state unknown` lists them; a report settles each, and oncue sends none again by itself unless it is certain.",
        )


def people(snapshot: Snapshot) -> Iterator[Finding]:
    """Who can sign in, who is alerted, who can send events."""
    able = [row for row in members.listed() if row["disabled_at"] is None]
    owners = sum(row["role"] == "owner" for row in able)
    if owners:
        yield ok("members", f"{len(able)} can sign in, {owners} of them {'an owner' if owners == 1 else 'owners'}.")
    else:
        yield warning("members", "No owner can sign in.", "`oncue member create EMAIL`")
    given = alerting.read_alerting()
    ways = heralds.ways(snapshot, alerting.addresses(given), given.webhook_url)
    if not ways:
        yield warning(
            "alerts", "Nobody would be told of one: no Email adaptor is active, or has anybody to write to, and there is no webhook.",
            "Settings, Alerts: give a webhook, or activate the Email adaptor.",
        )  # fmt: skip
    else:
        yield ok("alerts", f"Told of them: {', '.join(one.shown for one in ways)}.")
    if said := alerting.problem():
        yield problem("alerts", said, "Settings, Alerts, has a test.")
    if not snapshot.keys:
        yield warning("API keys", "There is none, so no app can send events.", "`oncue key create NAME`")
    else:
        yield ok("API keys", f"{len(snapshot.keys)}.")


def growth(size: int) -> float | None:
    """By how many bytes a day the data grows: this week's events, each as large as one has been so far. None of too few to tell."""
    (row,) = rows("SELECT MIN(seq) AS first, MAX(seq) AS last FROM store_event", [])
    events = row["last"] - row["first"] + 1 if row["last"] else 0
    hour = clock.now() // clock.HOUR
    lately = sum(hours.events(hour - _WEEK * 24, hour + 1).values())
    if events < 1_000:
        return None
    return size / events * lately / _WEEK
