"""The bare loop: what the machine can do when nothing is decided, checked or kept beside the one row.

A uvicorn app that commits each event as a row, in groups, by one thread (WAL, synchronous=FULL); with `--carrier`, it then posts the
text through one aiohttp session, commits the answer, and commits each callback. No rules, no opt-outs, no signatures, no pacing.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import queue
import sqlite3
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

import aiohttp
import uvicorn

EVENT = "INSERT INTO event (id, user, name, properties, at) VALUES (?, ?, ?, ?, ?)"
STATUS = "INSERT INTO status (message, status, raw, at) VALUES (?, ?, ?, ?)"


class Store:
    """Rows in, futures resolved after the commit."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[tuple[str, list[tuple[Any, ...]], asyncio.Future[None]]] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, sql: str, rows: list[tuple[Any, ...]]) -> asyncio.Future[None]:
        future = self._loop.create_future()
        self._queue.put((sql, rows, future))
        return future

    def _run(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, user, name, properties, at)")
        database.execute("CREATE TABLE status (seq INTEGER PRIMARY KEY, message, status, raw, at)")
        while True:
            group = [self._queue.get()]
            while not self._queue.empty() and len(group) < 1_000:
                group.append(self._queue.get())
            database.execute("BEGIN IMMEDIATE")
            for kind in (EVENT, STATUS):
                rows = [row for sql, rows, _ in group if sql == kind for row in rows]
                if rows:
                    database.executemany(kind, rows)
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_resolve, [future for _, _, future in group])


def _resolve(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


class App:
    """The ASGI application."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._slots = asyncio.Semaphore(96)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self._store = Store(self._given.database)
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200))
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._session.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["path"] == "/v1/events":
            await self._events(body)
        else:
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            row = (scope["path"], form["MessageStatus"], body.decode(), time.time())
            await self._store.put(STATUS, [row])
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    async def _events(self, body: bytes) -> None:
        content = json.loads(body)
        items = content.get("items", [content])
        rows = [(one["id"], one["user"], one["name"], json.dumps(one["properties"]), time.time()) for one in items]
        await self._store.put(EVENT, rows)
        if self._given.carrier:
            for one in items:
                task = asyncio.create_task(self._text(one))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _text(self, one: dict[str, Any]) -> None:
        given = self._given
        form = {
            "To": one["user_properties"]["phone_number"],
            "From": "+15005550006",
            "Body": f"Hi Ann, booking {one['properties']['booking_id']} is confirmed.",
            "StatusCallback": f"http://127.0.0.1:{given.port}/cb/{one['id']}",
        }
        if not given.callbacks:
            del form["StatusCallback"]
        token = base64.b64encode(f"{given.account}:{given.token}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{given.carrier}/2010-04-01/Accounts/{given.account}/Messages.json"
        async with self._slots, self._session.post(url, data=urlencode(form), headers=headers) as answer:
            raw = await answer.text()
        await self._store.put(STATUS, [(one["id"], "queued", raw, time.time())])


async def main(given: argparse.Namespace) -> None:
    """Serve until terminated."""
    config = uvicorn.Config(App(given), port=given.port, loop="uvloop", http="httptools", ws="none", log_config=None, access_log=False)  # fmt: skip
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--carrier", default="")
    parser.add_argument("--callbacks", action="store_true")
    parser.add_argument("--account", default="")
    parser.add_argument("--token", default="")
    import uvloop

    uvloop.run(main(parser.parse_args()))
