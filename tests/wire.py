"""A web server on loopback that does exactly what a test tells it to, down to the byte, and counts what reached it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from oncue.workers.http import Client

Play = Callable[["Call"], Awaitable[None]]


class Call:
    """One request as it arrived, and the way to answer it. `number` counts from 1, over all connections."""

    def __init__(
        self, number: int, head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ):
        self.number = number
        self.head = head
        self.body = body
        self.reader = reader
        self.writer = writer

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}

    def answer(self, status: int = 200, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body)}", "", ""]
        self.writer.write("\r\n".join(lines).encode() + body)

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        self.writer.transport.abort()


class Wire:
    """What has happened at the server so far."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/place"


@asynccontextmanager
async def serving(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """Serve on loopback; `play` is called for each request once it has arrived in full."""
    wire = Wire()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.connections += 1
        wire._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                call = Call(len(wire.calls) + 1, head, b"", reader, writer)
                call.body = await reader.readexactly(int(call.headers.get("content-length", 0)))
                wire.calls.append(call)
                await play(call)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the other side has gone, or the test has ended
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        for writer in wire._writers:
            writer.transport.abort()
        await server.wait_closed()


async def ok(call: Call) -> None:
    """Answer 200 and keep the connection."""
    call.answer(200, b"fine")


def run(play: Play, act: Callable[[Client, Wire], Awaitable[Any]]) -> tuple[Any, Wire]:
    """What `act` returned, and what reached the server."""

    async def both() -> tuple[Any, Wire]:
        client = Client()
        async with serving(play) as wire:
            try:
                return await act(client, wire), wire
            finally:
                await client.close()
                assert not client._deadlines._ends

    return asyncio.run(both())
