"""The simulator as a process of its own, for tests and the demo, and its dial as methods. It ends with whoever started it, however that ends."""

from __future__ import annotations

import http.client
import subprocess
import sys
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import msgspec

from oncue.simulator import defaults


class Simulator:
    """A running simulator."""

    account_sid = defaults.ACCOUNT_SID
    auth_token = defaults.AUTH_TOKEN

    def __init__(self, pace: float = 0.0, port: int = 0) -> None:
        command = [sys.executable, "-m", "oncue.simulator", "--port", str(port), "--pace", str(pace), "--while-held"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("simulator ready on "):
            raise RuntimeError(f"The simulator did not start: {line!r}.")
        self.url = line.rpartition(" ")[2].strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def state(self, *, counts: bool = False) -> dict[str, Any]:
        """What was accepted."""
        found: dict[str, Any] = self._call("GET", "state?counts=1" if counts else "state")
        return found

    def messages(self, to: str = "") -> list[dict[str, Any]]:
        """Messages of a recipient, or all, oldest first."""
        found: list[dict[str, Any]] = self._call("GET", f"messages?to={quote(to)}" if to else "messages")
        return found

    def phone(self, number: str) -> list[dict[str, Any]]:
        """What stands on a phone."""
        found: list[dict[str, Any]] = self._call("GET", f"phones/{quote(number)}")
        return found

    def text(
        self, phone: str, body: str, to: str = defaults.LONG_CODE, media: list[str] | None = None
    ) -> dict[str, Any]:
        """A phone writes to one of the account's numbers."""
        found: dict[str, Any] = self._call(
            "POST", f"phones/{quote(phone)}/send", {"body": body, "to": to, "media": media or []}
        )
        return found

    def fault(self, kind: str, **more: Any) -> None:
        """Put a fault in force: see `oncue.simulator.faults`."""
        self._call("POST", "faults", {"kind": kind, **more})

    def clear_faults(self) -> None:
        """All is well again."""
        self._call("DELETE", "faults")

    def dial(self, **settings: Any) -> None:
        """`pace`, `advanced_opt_out`."""
        self._call("POST", "dial", settings)

    def reset(self) -> None:
        """As at the start."""
        self._call("POST", "reset")

    def _call(self, method: str, path: str, content: Any = None) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            connection.request(method, f"/_sim/{path}", msgspec.json.encode(content) if content is not None else None)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise ValueError(body.decode())
            return msgspec.json.decode(body)
        finally:
            connection.close()
