"""The load: posts events over keep-alive connections, as fast as they are answered or at a rate, and says how long each took.

A process of its own, so that it costs the measured one nothing but the machine's second core. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import time
from datetime import UTC, datetime

import uvloop

HEAD = (
    "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n"
    "content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
)


class Connection(asyncio.Protocol):
    """One connection with one request under way."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None
        self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    async def ask(self, request: bytes) -> int:
        """Send it; the status of the answer, 0 if there is none."""
        if self._is_lost:
            return 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)  # type: ignore[attr-defined]
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        status = int(head[9:12])
        self._buffer = self._buffer[end + 4 + length :]
        if self._answer and not self._answer.done():
            self._answer.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = True
        if self._answer and not self._answer.done():
            self._answer.set_result(0)


def item(n: int, prefix: str) -> dict[str, object]:
    """The n-th event: a user of its own, with a number of their own."""
    return {
        "type": "event",
        "user": f"{prefix}{n}",
        "name": "booking_confirmed",
        "id": f"{prefix}-{n}",
        "properties": {"booking_id": n, "amount": 12.5, "city": "Dublin"},
        "user_properties": {"first_name": "Ann", "phone_number": f"+1617{2_000_000 + n % 8_000_000}"},
    }


def as_segment(one: dict[str, object]) -> dict[str, object]:
    """The same as a track of Segment's SDKs."""
    return {
        "type": "track", "userId": one["user"], "event": one["name"], "properties": one["properties"], "messageId": one["id"],
        "context": {"library": {"name": "bench", "version": "1"}, "traits": one["user_properties"]}, "integrations": {},
        "timestamp": datetime.now(UTC).isoformat(),
    }  # fmt: skip


def as_swrve(one: dict[str, object], n: int) -> list[dict[str, object]]:
    """The same as two items of Swrve's SDKs: who, and what."""
    at = int(time.time() * 1000)
    return [
        {"type": "user", "time": at, "seqnum": 2 * n + 1, "attributes": one["user_properties"]},
        {"type": "event", "time": at, "seqnum": 2 * n + 2, "name": one["name"], "payload": one["properties"]},
    ]


APP = 4567


def swrve_batch(key: str, numbers: range, prefix: str) -> dict[str, object]:
    """A batch is of one user."""
    user = f"{prefix}{numbers[0]}"
    data = [made for n in numbers for made in as_swrve(item(n, prefix), n)]
    token = f"{APP}={user}=1={hashlib.md5(f'{user}1{key}'.encode()).hexdigest()}"
    return {
        "user": user,
        "app_version": "1",
        "session_token": token,
        "version": 3,
        "unique_device_id": "bench",
        "data": data,
    }


def request(path: str, key: str, numbers: range, prefix: str) -> bytes:
    """One request with these events, in the format of the path."""
    if path == "/1/batch":
        content: object = swrve_batch(key, numbers, prefix)
    elif path == "/v1/batch":
        content = {"batch": [as_segment(item(n, prefix)) for n in numbers], "writeKey": key}
    else:
        items = [item(n, prefix) for n in numbers]
        content = items[0] if len(items) == 1 else {"items": items}
    body = json.dumps(content).encode()
    return HEAD.format(path=path, key=key, length=len(body)).encode() + body


async def main(given: argparse.Namespace) -> dict[str, object]:
    """Post `count` requests of `batch` events each."""
    loop = asyncio.get_running_loop()
    requests = [
        request(given.path, given.key, range(n * given.batch, (n + 1) * given.batch), given.prefix)
        for n in range(given.count)
    ]
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(given.connections):
        _, connection = await loop.create_connection(Connection, "127.0.0.1", given.port)
        free.put_nowait(connection)
    took: list[float] = [0.0] * given.count
    sent: list[float] = [0.0] * given.count
    bad = 0

    async def one(n: int, connection: Connection) -> None:
        nonlocal bad
        sent[n] = time.time()
        began = time.perf_counter()
        status = await connection.ask(requests[n])
        took[n] = time.perf_counter() - began
        bad += status not in (200, 202)
        free.put_nowait(connection)

    began = time.perf_counter()
    tasks = []
    for n in range(given.count):
        if given.rate:
            late = began + n / given.rate - time.perf_counter()
            if late > 0:
                await asyncio.sleep(late)
        connection = await free.get()
        tasks.append(loop.create_task(one(n, connection)))
    await asyncio.gather(*tasks)
    seconds = time.perf_counter() - began
    took.sort()
    return {
        "seconds": seconds,
        "bad": bad,
        "p50": took[len(took) // 2] * 1000,
        "p99": took[int(len(took) * 0.99)] * 1000,
        "sent": sent if given.times else [],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/v1/events")
    parser.add_argument("--key", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--prefix", default="u")
    parser.add_argument("--times", action="store_true")
    print(json.dumps(uvloop.run(main(parser.parse_args()))))
