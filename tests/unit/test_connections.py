"""Connections: one that says nothing is cut, and there is always room for what oncue itself has to open."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from oncue.cli import connections
from oncue.ingest.answers import answer

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _hello(scope, receive, send) -> None:
    await answer(send, 200, b"hello")


@asynccontextmanager
async def served(most: int) -> AsyncIterator[int]:
    """A server with room for so many; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(_hello, http=connections.protocol(most), lifespan="off", log_config=None, ws="none")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield listening.getsockname()[1]
        server.should_exit = True
        await task


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Whatever comes until the connection is closed."""
    try:
        return await asyncio.wait_for(reader.read(-1), 10)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("said", [b"", ASK[:10], ASK + ASK[:10]], ids=["nothing", "half a head", "half a second one"])
def test_who_opens_a_connection_and_says_no_more_is_cut(monkeypatch, said):
    monkeypatch.setattr(connections, "SPEAK_WITHIN", 0.1)

    async def run() -> bytes:
        async with served(10) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            heard = await ended(reader)
            writer.close()
            return heard

    assert asyncio.run(run()).count(b"200 OK") == said.count(ASK)


def test_when_there_is_no_room_new_ones_hear_so_at_once_and_those_that_are_open_go_on(monkeypatch):
    async def run() -> None:
        async with served(2) as port:
            known, speaking = await asyncio.open_connection("127.0.0.1", port)
            silent = await asyncio.open_connection("127.0.0.1", port)
            speaking.write(ASK)
            assert b"200 OK" in await known.readuntil(b"hello")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ASK)
            refused = await ended(reader)
            assert b"503" in refused and connections.FULL.encode() in refused and b"retry-after" in refused
            speaking.write(ASK)
            assert b"200 OK" in await known.readuntil(b"hello")
            silent[1].close()
            await silent[1].wait_closed()
            again, asking = await asyncio.open_connection("127.0.0.1", port)
            asking.write(ASK)
            assert b"200 OK" in await again.readuntil(b"hello")
            for one in (speaking, writer, asking):
                one.close()

    asyncio.run(run())


def test_far_more_than_there_is_room_for_are_dropped(monkeypatch):
    monkeypatch.setattr(connections, "ASIDE", 1)

    async def run() -> None:
        async with served(2) as port:
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
            dropped = await asyncio.wait_for(asyncio.gather(*[ended(reader) for reader, _ in opened[3:]]), 10)
            assert dropped == [b""] * 3
            for _, writer in opened:
                writer.close()

    asyncio.run(run())


def test_oncue_may_have_as_many_files_as_the_system_allows_and_keeps_some_for_itself(monkeypatch):
    limits = [(1_024, 4_096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.append(new))
    assert connections.room() == 4_096 - connections.KEPT_BACK
    limits[:] = [(200, 200)]
    assert connections.room() == 100
    limits[:] = [(1_024, resource.RLIM_INFINITY)]
    assert connections.room() == connections.MOST_FILES - connections.KEPT_BACK
