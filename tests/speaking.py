"""A client that says what a test tells it to, down to the byte, and reads answers one by one."""

from __future__ import annotations

import contextlib
import socket
from types import TracebackType
from typing import Self

import msgspec


class Said(msgspec.Struct):
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Speaker:
    """One connection to loopback."""

    def __init__(self, port: int, within: float = 10.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=within)
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def say(self, what: bytes) -> None:
        """Send these bytes; a server that has closed already is no error."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(what)

    def hear(self, *, head_only: bool = False) -> Said | None:
        """The next answer but `100 Continue`, or None if the server closes without one."""
        head = self.read_until(b"\r\n\r\n")
        if head is None:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split(" ")[1])
        if status == 100:
            return self.hear()
        return Said(status, headers, b"" if head_only else self._body(headers))

    def is_closed(self) -> bool:
        """Whether the server closes, and says no more before; waits for it."""
        try:
            return not self._read and self._socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self._exactly(int(headers.get("content-length", 0)))
        body = b""
        while size := int(self.read_until(b"\r\n") or b"0", 16):
            body += self._exactly(size)
            self._exactly(2)
        self._exactly(2)
        return body

    def read_until(self, mark: bytes) -> bytes | None:
        """What comes before the mark, or None if the server closes first."""
        while mark not in self._read:
            if not self._more():
                return None
        found, _, self._read = self._read.partition(mark)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._read) < count:
            assert self._more(), "the answer ends before its length"
        found, self._read = self._read[:count], self._read[count:]
        return found

    def _more(self) -> bool:
        try:
            more = self._socket.recv(65_536)
        except ConnectionResetError:
            return False
        self._read += more
        return bool(more)
