"""Ending in order: what was claimed as the process was told to end is sent and recorded, not left unknown for good."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

from inside import KEY, KEYS, Inside, clock_put_back, request
from oncue.asgi import Process
from oncue.settings import Settings
from oncue.store.jobs import Edit

__all__ = ["clock_put_back"]

RULES = (
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
ITEMS = b"""{"items": [
    {"type": "event", "user": "ann", "name": "booked", "properties": {}},
    {"type": "user", "user": "ann", "properties": {"a": 1}}
]}"""


def test_what_is_claimed_while_the_process_ends_is_sent_and_recorded(tmp_path: Path):
    inside = Inside(tmp_path)
    settings = Settings(
        data_dir=tmp_path, public_url="http://oncue.example.com", secret_key="", host="127.0.0.1", port=0, log="console"
    )
    gate, claimed = threading.Event(), threading.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    def commit_slowly() -> None:
        claimed.set()
        time.sleep(0.3)

    async def live() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        await asyncio.to_thread(inside.apply, RULES % server.sockets[0].getsockname()[1])
        process = Process(settings, inside.vault, inside.catalogue)
        async with process.running() as app:
            assert process.writer
            bearer = {b"authorization": b"Bearer " + KEY.encode()}
            held = asyncio.create_task(process.writer.do(Edit(gate.wait)))
            await asyncio.sleep(0)
            while process.writer.waiting:
                await asyncio.sleep(0.001)
            taken = asyncio.create_task(request(app, "POST", "/v1/events", ITEMS, bearer))
            while process.writer.waiting < 2:  # the request is queued
                await asyncio.sleep(0.001)
            slow = asyncio.create_task(process.writer.do(Edit(commit_slowly)))
            await asyncio.sleep(0)
            gate.set()
            await asyncio.to_thread(claimed.wait)
        assert (await taken).status == 202
        await asyncio.gather(held, slow)
        server.close()

    asyncio.run(live())
    assert inside.messages("state, reason") == [("accepted", "")]
