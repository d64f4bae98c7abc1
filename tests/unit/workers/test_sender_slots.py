"""The sender: whatever a provider answers is recorded, and a slot is given back whatever becomes of the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest

from inside import KEYS, Inside, clock_put_back, inside
from oncue.core import clock
from oncue.core.items import StoreUnavailable
from oncue.core.outcome import Outcome, Unknown
from oncue.store.jobs import Poisoned, Record, Release
from oncue.store.message import Claimed
from oncue.store.results import Attempted
from oncue.store.writer import Writer
from oncue.workers.http import Client
from oncue.workers.sender import STALE_AFTER, Sender

__all__ = ["clock_put_back", "inside"]


TELL = (
    KEYS
    + """
adaptors:
  webhook: {allow_private_addresses: true}
rules:
  - key: tell
    name: Tell
    state: "on"
    category: transactional
    triggers: [booked]
    actions: [{action: webhook.request, url: "http://127.0.0.1:%d/", method: POST}]
"""
)


def test_an_answer_with_bytes_that_are_no_utf8_in_a_header_is_recorded(inside: Inside):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-City: Z\xfcrich\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def carried() -> None:
        client = Client()
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        sender = Sender(client, "")
        sender.serve(inside.writer)
        await asyncio.to_thread(inside.apply, TELL % server.sockets[0].getsockname()[1])
        await inside.writer.probe(5)
        event = b'{"type": "event", "user": "ann", "name": "booked", "properties": {}}'
        assert (await inside.calling("POST", "/v1/events", event)).status == 202
        await asyncio.sleep(0)
        sender.take(inside.claimed)
        assert await sender.drain(5) == 0
        await client.close()
        server.close()

    inside.run(carried())
    assert inside.messages("state") == [("accepted",)]
    ((exchange,),) = inside.rows("SELECT exchange FROM store_attempt")
    assert msgspec.json.decode(exchange)[0]["response_headers"]["x-city"] == "Z?rich"


@pytest.mark.parametrize("late", ["past its time", "a stale claim", ""])
def test_what_is_past_its_send_by_time_when_its_call_would_begin_is_not_sent(inside: Inside, monkeypatch, late):
    """Whatever the adaptor: it is no attempt, waits again, and so expires."""
    inside.apply(TELL % 9)
    inside.run(inside.writer.probe(5))
    inside.event("ann", "booked")
    (claimed,) = inside.claimed
    called: list[str] = []

    async def attempt(*_: object) -> tuple[Outcome, str]:
        called.append("")
        return Unknown("lost"), "[]"

    async def carried(claimed: Claimed) -> None:
        sender = Sender(Client(), "")
        sender.serve(inside.writer)
        monkeypatch.setattr(sender, "_attempt", attempt)
        if late == "past its time":
            monkeypatch.setattr(clock, "now", lambda: claimed.send_by + 1)
        elif late:
            claimed = msgspec.structs.replace(claimed, at=claimed.at - STALE_AFTER - 1)
        sender.take([claimed])
        assert await sender.drain(5) == 0

    inside.run(carried(claimed))
    # What waits again and is in time yet is claimed anew, at once.
    expected = {"past its time": ("waiting", 0), "a stale claim": ("submitting", 1), "": ("unknown", 1)}
    assert inside.messages("state, attempts") == [expected[late]] and bool(called) != bool(late)


class Slow:
    """Answers after so many seconds; a sender that has one message for it."""

    def __init__(self, inside: Inside, seconds: float) -> None:
        self.inside = inside
        self._seconds = seconds
        self._answering: set[asyncio.Task[None] | None] = set()
        self._leaving = asyncio.Event()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answering.add(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), self._seconds)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Sender]:
        client = Client()
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        sender = Sender(client, "")
        sender.serve(self.inside.writer)
        await asyncio.to_thread(self.inside.apply, TELL % server.sockets[0].getsockname()[1])
        await self.inside.writer.probe(5)
        event = b'{"type": "event", "user": "ann", "name": "booked", "properties": {}}'
        assert (await self.inside.calling("POST", "/v1/events", event)).status == 202
        await asyncio.sleep(0)
        yield sender
        self._leaving.set()
        await client.close()
        server.close()
        await asyncio.wait({task for task in self._answering if task})


@pytest.mark.faults
def test_a_call_that_never_ends_is_given_up_and_held_as_unknown(inside: Inside, monkeypatch):
    monkeypatch.setattr("oncue.workers.sender.LONGEST_FOR", 0.2)

    async def carried() -> None:
        async with Slow(inside, 2).sending() as sender:
            sender.take(inside.claimed)
            assert await sender.drain(1.5) == 0

    inside.run(carried())
    assert inside.messages("state, reason") == [("unknown", "The call had not ended after 0 seconds.")]


def test_a_call_that_ended_in_time_is_recorded_however_long_that_takes(inside: Inside, monkeypatch):
    monkeypatch.setattr("oncue.workers.sender.LONGEST_FOR", 1.0)

    async def carried() -> None:
        async with Slow(inside, 0).sending() as sender:
            record = sender._record

            async def later(writer: Writer, attempted: Attempted) -> None:
                await asyncio.sleep(1.3)
                await record(writer, attempted)

            monkeypatch.setattr(sender, "_record", later)
            sender.take(inside.claimed)
            assert await sender.drain(5) == 0

    inside.run(carried())
    assert inside.messages("state") == [("accepted",)]


def test_a_call_that_the_end_of_the_process_cuts_off_is_left_for_the_next_to_look_into(inside: Inside):
    async def carried() -> None:
        async with Slow(inside, 2).sending() as sender:
            sender.take(inside.claimed)
            await asyncio.sleep(0.1)
            (task,) = sender._under_way
            task.cancel()
            assert await sender.drain(1) == 0 and task.cancelled()

    inside.run(carried())
    assert inside.messages("state") == [("submitting",)]


class Store:
    """A writer that cannot record this result, and at first cannot do anything else either."""

    def __init__(self) -> None:
        self.released: list[str] = []
        self.unavailable = 1

    async def do(self, job: object) -> None:
        if isinstance(job, Record):
            raise Poisoned
        assert isinstance(job, Release)
        if self.unavailable:
            self.unavailable -= 1
            raise StoreUnavailable("locked")
        self.released.append(job.adaptor)


@pytest.mark.faults
def test_the_slot_of_a_result_that_cannot_be_recorded_is_given_back_however_long_it_takes():
    store = Store()
    attempted = Attempted(message="m", adaptor="twilio", number=1, outcome=None, started_at=0, ended_at=0)
    asyncio.run(Sender(Client(), "")._record(store, attempted))  # type: ignore[arg-type]
    assert store.released == ["twilio"]
