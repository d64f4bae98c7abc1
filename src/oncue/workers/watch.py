"""The watch: looks whether all is well, and says what is not as alarms, each with what it means and what to do.

An alarm is raised as long as its condition holds. A condition that comes and goes (a pause of five minutes, after which one message tries
again) is held a little longer, so that members are told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.rules.spec import RuleState
from oncue.store import watch
from oncue.store.alerts import Alarm
from oncue.store.config import Snapshot
from oncue.store.lanes import Resting

PAUSE_ENDS_AFTER = 2 * clock.MINUTE
"""After a pause one message tries again, and may be refused again."""

FAULT_ENDS_AFTER = clock.HOUR
"""A rule that could not be evaluated, and since then could."""

SILENT_AFTER = 15 * clock.MINUTE
"""An accepted message of which the provider has said nothing for so long."""

SILENCE_ENDS_AFTER = clock.DAY

UNKNOWN_AFTER = 2 * clock.MINUTE
"""A message of which nobody knows whether it was taken, and no callback has said so either."""

UNREACHABLE_AFTER = 2 * clock.MINUTE
"""A provider that does not answer while messages wait for it. Held as long after the last of them: it may be the one that tries, and wait again."""

MOST_UNREACHABLE = 20
"""A webhook may go to a host for each of the customer's customers."""

FEWEST, FEWEST_USUALLY = 50, 200
"""Ends of messages in the last hour, and in the seven days before: of fewer nothing can be said."""

DROP, DROP_OVER = 0.10, 0.05
"""How much smaller the delivered share is than usual: when that is an alarm, and when it no longer is."""

_NOT_DELIVERED = ("undelivered",)
_NO_END = ("canceled", "read")  # called off by somebody; told of one that was delivered already


class Watch:
    """Remembers what the database does not: how far decisions were looked through, and what is an alarm already."""

    def __init__(self) -> None:
        self._decided = -1
        self._faulty: dict[str, tuple[int, int]] = {}
        """Rule → when it last could not be evaluated, and its revision then."""

    def look(
        self,
        snapshot: Snapshot,
        public_url: str,
        known: frozenset[tuple[str, str]],
        resting: Iterable[Resting] = (),
    ) -> list[Alarm]:
        """What is wrong now; `known` are the kinds and keys of alerts that are open, `resting` the writer's lanes whose provider does not
        answer. Reads only; on a thread, not on the loop."""
        now = clock.now()
        return [
            *_paused(snapshot, now),
            *_inactive(snapshot),
            *_not_compiled(snapshot),
            *self._not_evaluated(snapshot, known, now),
            *_dropped(snapshot, known, now),
            *(_silent(snapshot, now) if public_url else ()),
            *_unreachable(snapshot, resting, known, now),
            *_unknown(now),
        ]

    def _not_evaluated(self, snapshot: Snapshot, known: frozenset[tuple[str, str]], now: int) -> Iterator[Alarm]:
        newest = watch.newest_decision()
        if self._decided < 0:  # just begun: what was an alarm stays one for a while
            self._decided = newest
            self._faulty = {key: (now, snapshot.revisions.get(key, 0)) for kind, key in known if kind == "rule_fault"}
        for key in watch.faulty_rules(self._decided, newest):
            self._faulty[key] = (now, snapshot.revisions.get(key, 0))
        self._decided = max(newest, self._decided)
        for key, (at, revision) in list(self._faulty.items()):
            is_mended = snapshot.is_stopped(key) or snapshot.revisions.get(key, 0) != revision
            if now - at > FAULT_ENDS_AFTER or is_mended:
                del self._faulty[key]
                continue
            yield Alarm(
                kind="rule_fault",
                key=key,
                sentence=f"The rule {key} could not be evaluated for an event, so it did not act. The decision says why; the log has the rest.",
            )


def _paused(snapshot: Snapshot, now: int) -> Iterator[Alarm]:
    for pause in watch.pauses(now - PAUSE_ENDS_AFTER):
        label = _label(snapshot, pause["adaptor"])
        what = {
            "account": "the account",
            "sender": f"the sender {pause['key']}",
            "country": f"messages to {pause['key']}",
        }
        yield Alarm(
            kind="paused",
            key=" ".join(filter(None, (pause["adaptor"], pause["kind"], pause["key"]))),
            sentence=f"{label} refuses {what.get(pause['kind'], pause['kind'])}: {_ended(pause['reason'])} Messages wait and are tried"
            " again every five minutes; what is too late by then is not sent.",
        )


def _inactive(snapshot: Snapshot) -> Iterator[Alarm]:
    for name, configured in snapshot.adaptors.items():
        if not configured.is_active and configured.problem:
            sentence = f"The adaptor {_label(snapshot, name)} is inactive: {_ended(configured.problem)} Its messages wait until it is mended."
            yield Alarm(kind="inactive", key=name, sentence=sentence)


def _not_compiled(snapshot: Snapshot) -> Iterator[Alarm]:
    acting = {key for key, _ in snapshot.compiled}
    for key, state in snapshot.states.items():
        if state is not RuleState.OFF and key not in acting:
            sentence = f"The rule {key} is {state.value} but does not act: something in it is wrong. Its page says what; mend it or turn it off."
            yield Alarm(kind="rule_stopped", key=key, sentence=sentence)


def _dropped(snapshot: Snapshot, known: frozenset[tuple[str, str]], now: int) -> Iterator[Alarm]:
    hour = now // clock.HOUR
    for adaptor in _active(snapshot):
        good, bad = _ends(adaptor)
        if not good or not bad:
            continue
        lately, n = _share(good, bad, watch.counted({*good, *bad}, hour - 1, hour))
        if n < FEWEST:
            continue
        usually, total = _share(good, bad, watch.counted({*good, *bad}, hour - 169, hour - 2))
        limit = DROP_OVER if ("deliverability", adaptor.name) in known else DROP
        if total >= FEWEST_USUALLY and usually - lately >= limit:
            yield Alarm(
                kind="deliverability",
                key=adaptor.name,
                sentence=f"{adaptor.label} delivers {lately:.0%} of messages since {(hour - 1) % 24:02}:00 UTC, of {n}; in the seven"
                f" days before it was {usually:.0%}. The overview shows the error codes, countries and senders.",
            )


def _silent(snapshot: Snapshot, now: int) -> Iterator[Alarm]:
    calling = {one.name: one for one in _active(snapshot) if one.status_inbound}
    found = watch.accepted(list(calling), now, now - SILENT_AFTER, now - SILENCE_ENDS_AFTER) if calling else []
    for name, adaptor in calling.items():
        mine = [row for row in found if row["adaptor"] == name]
        # The first status comes with the answer that accepts a message; each one after that by callback.
        heard_at = max((row["updated_at"] for row in mine if "," in row["raised"]), default=0)
        silent = [
            row["updated_at"] for row in mine
            if "," not in row["raised"] and row["carrier_status"] not in adaptor.final and row["updated_at"] < now - SILENT_AFTER
        ]  # fmt: skip
        if silent and heard_at < max(silent):
            yield Alarm(
                kind="silence",
                key=name,
                sentence=f"{adaptor.label} has accepted messages more than 15 minutes ago, and no callback has come since: statuses, replies"
                " and STOPs may not reach oncue. Check the callback on the adaptor's page.",
            )


def _unreachable(
    snapshot: Snapshot, resting: Iterable[Resting], known: frozenset[tuple[str, str]], now: int
) -> Iterator[Alarm]:
    found = [
        one for one in resting
        if snapshot.active(one.adaptor)
        and now - one.since >= UNREACHABLE_AFTER
        and (one.waits or (("unreachable", one.lane) in known and now - one.waited_at < UNREACHABLE_AFTER))
    ]  # fmt: skip
    for one in sorted(found, key=lambda one: one.since)[:MOST_UNREACHABLE]:
        yield Alarm(
            kind="unreachable",
            key=one.lane,
            sentence=f"{_label(snapshot, one.adaptor)} has given no answer of use since {clock.iso(one.since)[:16].replace('T', ' ')} UTC"
            f" ({one.lane}). One message at a time tries, and the others go once it answers; what is too late by then is not sent. A message"
            " that was tried says what is wrong.",
        )


def _unknown(now: int) -> Iterator[Alarm]:
    count = watch.unknown(now - UNKNOWN_AFTER)
    if count:
        what = "one message" if count == 1 else f"{count}{'' if count < watch.MOST else ' or more'} messages"
        sentence = (
            f"Of {what} it is not known whether the provider took them. oncue does not send them again by itself, so that nobody is texted"
            " twice; Messages, filtered by unknown, shows which."
        )
        yield Alarm(kind="unknown", key="messages", sentence=sentence)


def _active(snapshot: Snapshot) -> list[Adaptor]:
    return [one for name, one in snapshot.catalogue.items() if not one.builtin and snapshot.active(name)]


def _ends(adaptor: Adaptor) -> tuple[set[str], set[str]]:
    """Events that say a message was delivered, and that it was not."""
    bad = {adaptor.failed, *(one for one in _NOT_DELIVERED if one in adaptor.final)} & adaptor.final
    good = adaptor.final - bad - {*_NO_END}
    return {adaptor.event(one) for one in good}, {adaptor.event(one) for one in bad}


def _share(good: set[str], bad: set[str], counts: Mapping[str, int]) -> tuple[float, int]:
    """(delivered share, of how many)."""
    delivered, failed = (sum(counts.get(one, 0) for one in names) for names in (good, bad))
    total = delivered + failed
    return (delivered / total if total else 1.0), total


def _label(snapshot: Snapshot, name: str) -> str:
    found = snapshot.catalogue.get(name)
    return found.label if found else name


def _ended(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
