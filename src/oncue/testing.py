"""For tests, ours and those of people who write rules: a real oncue as a process of its own, and ways to speak with it.

    with Oncue(tmp_path, rules="…") as oncue:
        oncue.post({"type": "event", "user": "u1", "name": "booking_confirmed", "properties": {}})
        message = oncue.message(state="accepted")

Everything waits for a condition with a deadline; nothing sleeps for a guessed time.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

_LOOK_AFTER = 0.02


class Oncue:
    """A running oncue on loopback with a data directory of its own. `kill` and `start` again to see what survives."""

    def __init__(
        self, folder: Path, *, rules: str = "", environ: Mapping[str, str] | None = None, public: bool = True
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = "test-key-0123456789abcdef"
        self._rules = rules
        self._process: subprocess.Popen[bytes] | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ONCUE_")}
        self.environ = {
            **kept,
            "ONCUE_DATA_DIR": str(folder / "data"),
            "ONCUE_PORT": str(self.port),
            "SHOP_KEY": self.key,
        }
        if public:
            self.environ["ONCUE_PUBLIC_URL"] = self.url
        self.environ.update(environ or {})

    def __enter__(self) -> Self:
        if self._rules:
            self.apply(self._rules)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self._process = self.begin(("serve",), self.folder / "oncue.log")
        wait_for(self._is_ready, 20, lambda: f"oncue did not start:\n{self.log()}")

    def begin(self, arguments: tuple[str, ...], log: Path) -> subprocess.Popen[bytes]:
        """Start `oncue` with these arguments; what it says is added to `log`."""
        with log.open("ab") as file:
            command = [sys.executable, "-m", "oncue", *arguments]
            return subprocess.Popen(command, env=self.environ, cwd=self.folder, stdout=file, stderr=file)

    def stop(self) -> int:
        """End it with SIGTERM; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL: nothing is tidied up."""
        self._end(signal.SIGKILL)

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """What it has logged so far."""
        path = self.folder / "oncue.log"
        return path.read_text() if path.exists() else ""

    def run(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run an `oncue` command on the same data directory."""
        command = [sys.executable, "-m", "oncue", *arguments]
        return subprocess.run(
            command,
            env=self.environ,
            cwd=self.folder,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """What a command prints with `--json`."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return msgspec.json.decode(done.stdout)

    def apply(self, rules: str, *options: str) -> str:
        """Apply rules; what the command printed."""
        path = self.folder / "rules.yaml"
        path.write_text(rules)
        done = self.run("apply", str(path), *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One HTTP request to it: status, headers (lower case), body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def post(self, *items: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Send items to `/v1/events`; the answer, which must be 202."""
        body: Any = items[0] if len(items) == 1 else {"items": items}
        headers = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json"}
        status, _, answer = self.call("POST", "/v1/events", msgspec.json.encode(body), headers)
        assert status == 202, (status, answer)
        return msgspec.json.decode(answer, type=dict[str, Any])

    def event(self, user: str, name: str, properties: dict[str, Any] | None = None, **more: Any) -> str:
        """Send one event; its id."""
        answer = self.post({"type": "event", "user": user, "name": name, "properties": properties or {}, **more})
        return str(answer["ids"][0])

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows straight from the database file, read-only."""
        import sqlite3
        from contextlib import closing

        with closing(
            sqlite3.connect(f"file:{self.folder / 'data' / 'oncue.db'}?mode=ro", uri=True, timeout=5)
        ) as database:
            return list(database.execute(sql, values))

    def messages(self, where: str = "1", *values: Any) -> list[dict[str, Any]]:
        """Messages as maps, oldest first."""
        names = [row[1] for row in self.query("PRAGMA table_info(store_message)")]
        rows = self.query(f"SELECT * FROM store_message WHERE {where} ORDER BY seq", *values)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def wait_for_messages(self, count: int, where: str = "1", *values: Any, within: float = 15) -> list[dict[str, Any]]:
        """Wait until exactly so many messages match."""
        wait_for(
            lambda: len(self.messages(where, *values)) >= count,
            within,
            lambda: f"no {count} messages where {where}: {self.messages()}\n{self.log()}",
        )
        found = self.messages(where, *values)
        assert len(found) == count, found
        return found

    def event_names(self, user: str | None = None) -> list[str]:
        """Names of the events so far, in order of commit."""
        if user is None:
            return [name for (name,) in self.query("SELECT name FROM store_event ORDER BY seq")]
        return [name for (name,) in self.query("SELECT name FROM store_event WHERE user_id = ? ORDER BY seq", user)]

    def wait_for_event(self, name: str, count: int = 1, within: float = 15) -> list[dict[str, Any]]:
        """Wait until an event of that name is there so many times; their properties."""
        sql = "SELECT properties FROM store_event WHERE name = ? ORDER BY seq"
        wait_for(
            lambda: len(self.query(sql, name)) >= count,
            within,
            lambda: f"no {name}: {self.event_names()}\n{self.log()}",
        )
        return [msgspec.json.decode(properties) for (properties,) in self.query(sql, name)]

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"oncue ended with {self._process.returncode}:\n{self.log()}")
        try:
            return self.call("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=20)
        self._process = None
        return code


def wait_for(
    condition: Callable[[], Any], within: float, otherwise: Callable[[], str] = lambda: "it did not come about"
) -> None:
    """Wait until the condition holds; an AssertionError with the sentence after `within` seconds."""
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(otherwise())
        time.sleep(_LOOK_AFTER)


def free_port() -> int:
    """A port on loopback that nothing listens on now; below those that outgoing connections take, which could have it while we restart."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
