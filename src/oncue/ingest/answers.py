"""Reading requests and writing answers over bare ASGI: no framework, since events and callbacks come by the thousand a second."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")


class Hears(Protocol):
    """A `receive` that counts what it takes in."""

    async def __call__(self) -> Message: ...

    def hold(self, size: int) -> None:
        """So many bytes more. Raises `Refused` when there is no room for them."""
        ...


class Refused(Exception):
    """A request that is answered with an error: its status, a sentence, and headers."""

    def __init__(self, status: int, sentence: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers


class Gone(Exception):
    """The client hung up before its request was complete."""


def header(scope: Scope, name: bytes) -> bytes:
    """A header's value; empty if it is not there."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


async def read_body(scope: Scope, receive: Hears, limit: int) -> bytes:
    """The body, unpacked if it came gzipped. Raises `Refused` past the limit, packed or unpacked; one that dawdles is its
    connection's business."""
    encoding = header(scope, b"content-encoding").strip().lower()
    if encoding not in (b"", b"identity", b"gzip"):
        raise Refused(415, f"The encoding {encoding.decode('latin-1')} is not known here; send gzip or none.")
    length = header(scope, b"content-length")
    if length.isdigit() and int(length.lstrip(b"0")[:20] or b"0") > limit:  # however many zeros stand before it
        raise _too_large(limit)
    body = await _collect(receive, limit)
    if encoding != b"gzip":
        return body
    unpacked = _unpack(body, limit)
    receive.hold(len(unpacked) - len(body))
    return unpacked


async def _collect(receive: Receive, limit: int) -> bytes:
    pieces = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        pieces += message.get("body", b"")
        if len(pieces) > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return bytes(pieces)


def _unpack(body: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        unpacked = stream.decompress(body, limit + 1)
    except zlib.error:
        raise Refused(400, "The body is not gzip, though Content-Encoding says so.") from None
    if len(unpacked) > limit:
        raise _too_large(limit)
    if not stream.eof:
        raise Refused(400, "The gzipped body is cut short.")
    if stream.unused_data:  # a second member, or rubbish: what it holds would be dropped in silence
        raise Refused(400, "Something follows the gzipped body; send one gzip stream.")
    return unpacked


def _too_large(limit: int) -> Refused:
    return Refused(413, f"The body is larger than {limit:,} bytes; send it in parts.")


async def answer(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    """Send a whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, content: Any, *headers: tuple[bytes, bytes]) -> None:
    """Send JSON."""
    await answer(send, status, _encode(content), _JSON, *headers)


async def answer_refused(send: Send, refused: Refused, *, is_sdk: bool = False) -> None:
    """Send an error as JSON: `error`, or `code` and `message`, which SDKs read."""
    sentence = str(refused)
    content = {"code": str(refused.status), "message": sentence} if is_sdk else {"error": sentence}
    await answer_json(send, refused.status, content, *refused.headers)
