"""What doctor says of the running process, of clocks, of the work, and of who would hear."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any

import msgspec
import pytest
from django.db import connection

from inside import KEYS, RULE, TWILIO, Inside, clock_put_back, inside, turn
from oncue import __version__, adaptors
from oncue.core import clock
from oncue.core.finding import Finding, Level, Situation
from oncue.core.outcome import Unknown
from oncue.core.probe import Arrival
from oncue.store import alerts, members
from oncue.store.adaptors import Stored
from oncue.store.jobs import Edit
from oncue.workers import asking, examining, standing
from wire import Call, serving

__all__ = ["clock_put_back", "inside"]

PUBLIC = "https://oncue.example.com"


def arrival(**more: Any) -> bytes:
    given = {"boot": "b", "version": __version__, "public_url": PUBLIC, "method": "POST", "path": "/", "query": "", "headers": {}, "body": ""}  # fmt: skip
    return msgspec.json.encode(Arrival(**{**given, **more}))


def asked(play: Any, holder: str = "7") -> tuple[Finding, ...]:
    async def both() -> tuple[Finding, ...]:
        async with serving(play) as wire:
            return (await asking.ask(f"http://127.0.0.1:{wire.port}", "t", PUBLIC, holder)).findings

    return asyncio.run(both())


def playing(metrics: bytes = b"", ready: bytes = b'{"ready":true,"problem":""}', **more: Any) -> Any:
    async def play(call: Call) -> None:
        path = call.head.split(b" ")[1]
        call.answer(200, {b"/readyz": ready, b"/metrics": metrics}.get(path, arrival(**more)))

    return play


def by_about(findings: Any) -> dict[str, Finding]:
    return {one.about: one for one in findings}


def test_a_running_oncue_of_this_version_with_these_settings_is_in_order():
    found = asked(playing(b"oncue_writer_queue_items 3\n"))
    assert [(one.about, one.level) for one in found] == [("server", "ok"), ("readiness", "ok"), ("queue", "ok")]


SERVERS = [
    (playing(version="0.0.1"), "server", Level.WARNING, "version 0.0.1"),
    (playing(public_url=""), "server", Level.PROBLEM, "started with no public URL"),
    (playing(ready=b'{"ready":false,"problem":"The database cannot commit: disk full"}'), "readiness", Level.PROBLEM, "disk full"),
    (playing(ready=b"<html>"), "readiness", Level.UNSEEN, "did not say"),
    (playing(b"oncue_writer_queue_items 90000\n"), "queue", Level.WARNING, "90,000 items"),
    (playing(b'oncue_provider_calls_total{adaptor="x",result="heard"} 1\noncue_provider_calls_total{adaptor="x",result="refused"} 5\n'), "x callbacks", Level.WARNING, "1 calls were believed and 5 refused"),
    (playing(b'oncue_provider_calls_total{adaptor="x",result="heard"} 9\noncue_provider_calls_total{adaptor="x",result="refused"} 5\n'), "x callbacks", Level.OK, "9 calls"),
    (playing(b'oncue_reconciler_behind_seconds{adaptor="x"} 1200\n'), "x late statuses", Level.WARNING, "20 minutes behind"),
]  # fmt: skip


@pytest.mark.parametrize(("play", "about", "level", "words"), SERVERS)
def test_what_the_running_oncue_says_is_read(play, about, level, words):
    assert any(one.about == about and one.level is level and words in one.found for one in asked(play))


def test_another_program_on_the_port_is_told_and_who_has_the_data():
    async def play(call: Call) -> None:
        call.answer(200, b"<html>")

    (said,) = asked(play)
    assert said.level is Level.PROBLEM and "process 7 has" in said.found
    (said,) = asked(play, holder="")
    assert said.level is Level.PROBLEM and "no process has" in said.found


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, Level.OK), (5, Level.OK), (-30, Level.WARNING), (30, Level.WARNING), (-600, Level.PROBLEM), (600, Level.PROBLEM)],
)  # fmt: skip
def test_the_provider_s_clock_is_compared_with_ours(seconds: int, level: Level):
    async def play(call: Call) -> None:
        call.answer(200, b"{}", f"Date: {formatdate(clock.now() / 1000 - seconds, usegmt=True)}")

    async def both() -> list[Finding]:
        async with serving(play) as wire:
            config = {"account_sid": "AC" + "0" * 32, "auth_token": "x", "api_base_url": wire.url}
            stored = Stored(state="active", values=config, found={}, problem="", cursor={})
            return await examining.examine(adaptors.load()["twilio"], stored, Situation(), True)

    said = by_about(asyncio.run(both()))["twilio clock"]
    assert said.level is level
    if seconds > 5:
        assert f"{seconds} seconds ahead of" in said.found
    if seconds < -5:
        assert f"{-seconds} seconds behind" in said.found


def test_an_adaptor_whose_secrets_cannot_be_read_or_that_is_inactive_is_told(inside: Inside):
    twilio = inside.catalogue["twilio"]

    def said(**more: Any) -> list[Finding]:
        stored = Stored(**{"state": "active", "values": {}, "found": {}, "problem": "", "cursor": {}, **more})
        return asyncio.run(examining.examine(twilio, stored, Situation(), False))

    assert [(one.level, one.found) for one in said(problem="The key is lost.")] == [("problem", "The key is lost.")]
    assert [one.level for one in said(state="inactive")] == ["warning"]
    assert [one.level for one in said()] == ["ok"]


def test_messages_that_wait_too_long_or_are_in_doubt_are_told(inside: Inside):
    assert [one.level for one in standing.waiting(True)] == [Level.OK]
    inside.event("ann", "booked", user_properties={"phone_number": "+15005551001"})
    (one,) = inside.claimed
    inside.ended(one.id, Unknown("The answer was lost."))
    found = list(standing.waiting(True))
    assert found[-1].level is Level.WARNING and "Of 1 it is not known" in found[-1].found
    inside.execute("UPDATE store_message SET state = 'waiting', reason = ''")
    turn(600)
    found = list(standing.waiting(False))
    assert found[-1].level is Level.WARNING and "wait for their turn" in found[-1].found
    assert found[-1].remedy == "Start oncue." and "rate" in list(standing.waiting(True))[-1].remedy
    connection.close()


def test_a_provider_that_the_running_oncue_cannot_reach_is_told(inside: Inside):
    alarm = alerts.Alarm(kind="unreachable", key="twilio", sentence="Twilio has given no answer of use.")
    inside.do(Edit(lambda: alerts.settle([alarm], [])))
    (said,) = standing.alarms(inside.writer.snapshot, PUBLIC)
    assert (said.level, said.about, said.found) == (Level.WARNING, "alert: unreachable", alarm.sentence)
    connection.close()


def test_what_members_are_alerted_of_is_told(inside: Inside):
    snapshot = inside.writer.snapshot
    assert [one.level for one in standing.alarms(snapshot, PUBLIC)] == [Level.OK]
    now = clock.now()
    inside.execute(
        "INSERT INTO store_pause (adaptor, kind, key, reason, since_at, until_at) VALUES ('twilio', 'sender', '+15005550006', 'No.', ?, ?)",
        now,
        now + 60_000,
    )
    (said,) = standing.alarms(snapshot, PUBLIC)
    assert said.level is Level.PROBLEM and "refuses the sender +15005550006" in said.found
    connection.close()


def test_who_would_hear_is_told(inside: Inside):
    found = by_about(standing.people(inside.writer.snapshot))
    assert found["members"].level is Level.WARNING and "member create" in found["members"].remedy
    assert found["alerts"].level is Level.WARNING and "Nobody would be told" in found["alerts"].found
    assert found["API keys"].level is Level.OK
    inside.do(Edit(lambda: members.create("ann@example.com")))
    inside.apply(KEYS + TWILIO + "  email: {smtp_url: 'smtp://127.0.0.1:1', from: 'a@example.com'}\nrules:" + RULE)
    inside.run(inside.writer.probe(5))
    found = by_about(standing.people(inside.writer.snapshot))
    assert found["members"].level is Level.OK and "ann@example.com" in found["alerts"].found
    connection.close()


def test_growth_is_this_week_s_events_as_large_as_one_has_been(inside: Inside):
    assert standing.growth(1_000_000) is None, "of too few nothing is said"
    inside.event("ann", "x")
    inside.execute("UPDATE store_event SET seq = seq + 1999")
    inside.execute("INSERT INTO store_event SELECT 1, 'other', user_id, name, properties, timestamp, received_at, source, cause, root, depth, raw FROM store_event")  # fmt: skip
    inside.execute("UPDATE store_counter SET count = 700 WHERE name = 'event'")
    assert standing.growth(2_000_000) == pytest.approx(100_000)
    connection.close()
