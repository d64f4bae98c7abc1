"""A port in front of the carrier that can be shut: then connections are refused, and those that were open have dropped."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from urllib.parse import urlsplit

from oncue.testing import free_port


class Relay:
    """Passes bytes on while it is open."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url).port
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay")
        self._thread.start()
        self.open()

    def open(self) -> None:
        """Listen."""
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)

    def shut(self) -> None:
        """Drop what is open, and refuse."""
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(10)

    def stop(self) -> None:
        """For good."""
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self._port)

    async def _shut(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0.01)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            try:
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
            finally:
                back.close()
                self._writers.discard(back)
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()
