"""An oncue inside the test's own process: a real SQLite file, the real writer, the real ear called as a server would call it.

Nothing is sent: what the writer claims is kept in `claimed`, and the test says what each attempt came to.
"""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
from collections.abc import Awaitable, Coroutine, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from django.conf import settings
from django.db import connections

from oncue import adaptors
from oncue.core import clock, ids
from oncue.core.outcome import Outcome, Submitted
from oncue.ingest import OWN_PREFIXES, build
from oncue.rules.document import read_document
from oncue.store import apply as applying
from oncue.store import boot, database
from oncue.store.doors import Doors
from oncue.store.jobs import Record
from oncue.store.message import Claimed
from oncue.store.results import Attempted
from oncue.store.secrets import Vault
from oncue.store.writer import Writer
from oncue.testing import wait_for

T = TypeVar("T")

KEY = "test-key-0123456789abcdef"
ANOTHER = "another-key-0123456789abc"
URL = "https://oncue.example.com"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
CANARY = "canary0123456789abcdef0123456789"
"""The auth token: whoever finds it in clear on disk has found a secret."""

ANY_HOUR = "policy: {quiet_from: '08:00', quiet_to: '08:00'}\n"
"""No quiet hours: a test runs at any hour."""
WRITE_KEY = "seg_write_key"
SWRVE_KEY, APP = "web_sdk-testkey", 4567
SDK_KEYS = f"""
api_keys:
  - {{name: shop, key: {KEY}}}
  - {{name: site, key: {WRITE_KEY}, source: segment}}
  - {{name: phone, key: {SWRVE_KEY}, source: swrve, app: {APP}}}
{ANY_HOUR}"""
"""A key of each source."""
KEYS = f"api_keys: [{{name: shop, key: {KEY}}}]\n{ANY_HOUR}"
TWILIO = f"""
adaptors:
  twilio:
    account_sid: {ACCOUNT}
    auth_token: {CANARY}
    default_sender: "+15005550006"
    messages_per_second: 0
"""
RULE = """
  - key: confirm
    name: Booking confirmation
    state: "on"
    category: transactional
    triggers: [booked]
    actions: [{action: twilio.send_message, body: "Booked {{ event.n | default: '' }}", to: "{{ user.phone_number }}"}]
"""
LOOP = KEYS + TWILIO + "rules:" + RULE


class Answer(msgspec.Struct):
    """What the ear answered; `status` 0 if it said nothing."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def sentence(self) -> str:
        """The error of a whole request."""
        error = self.json()["error"]
        assert error[0].isalnum() or error[0] == "{", error
        return str(error)


class Inside:
    """Opened for as long as the test runs; `close` and `open` again for a restart on the same file."""

    def __init__(self, folder: Path, *, busy_for: float = 10.0, public_url: str = URL) -> None:
        self.folder = folder
        self.path = folder / "oncue.db"
        self.catalogue = adaptors.load()
        self.vault = Vault("a key for the tests")
        self.claimed: list[Claimed] = []
        self.public_url = public_url
        point_at(self.path, busy_for)
        shutil.copy(fresh_database(folder.parent), self.path)

    def open(self) -> None:
        """Start as the process does."""
        self._runner = asyncio.Runner()
        boot.settle()
        self.writer = Writer(self.catalogue, self.vault, ids.new(), self.claimed.extend)
        self.run(self._start())
        reserved = (*OWN_PREFIXES, *(f"{name}." for name, one in self.catalogue.items() if not one.builtin))
        self.app = build(Doors(self.writer, self.public_url), reserved=reserved)

    async def _start(self) -> None:
        self.writer.start()

    def close(self) -> None:
        """Stop as the process does."""
        self.run(self.writer.stop())
        self._runner.close()
        connections.close_all()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the loop."""
        return self._runner.run(work)

    def gather(self, works: Iterable[Awaitable[T]]) -> list[Any]:
        """All at once, in order; exceptions are answers."""

        async def both() -> list[Any]:
            return await asyncio.gather(*works, return_exceptions=True)

        return self.run(both())

    def do(self, job: Any) -> Any:
        """Have the writer do a job."""
        return self.run(self.writer.do(job))

    def recovers(self) -> None:
        """Wait until the store commits again after a failure."""
        wait_for(lambda: not self.writer.problem, 10)

    def apply(self, text: str) -> None:
        """Apply a document, as `oncue apply` does from another process."""
        document, faults = read_document(text, "rules.yaml", self.catalogue, {})
        assert not faults, faults
        applying.apply(document, self.catalogue, self.vault, by="a test", found={})
        connections.close_all()

    # What goes in.

    def call(self, method: str, path: str, body: bytes | Iterable[Any] = b"", **headers: str) -> Answer:
        """One request; a list as body is what the server hands over, piece by piece (None: the client hangs up; `...`: more will come)."""
        given = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        return self.run(request(self.app, method, path, body, given))

    def calling(self, method: str, path: str, body: bytes, key: str = KEY) -> Coroutine[Any, Any, Answer]:
        """One request with a key, for `gather`."""
        return request(self.app, method, path, body, {b"authorization": b"Bearer " + key.encode()})

    def post(self, body: Any, key: str = KEY, **headers: str) -> Answer:
        """Post to /v1/events: bytes as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.call("POST", "/v1/events", raw, authorization=f"Bearer {key}", **headers)

    def take(self, *items: dict[str, Any]) -> list[str]:
        """Post items, all of which must be accepted; their ids."""
        answer = self.post({"items": items})
        assert (answer.status, answer.json()["rejected"]) == (202, []), answer.body
        return list(answer.json()["ids"])

    def event(self, user: str, name: str, properties: dict[str, Any] | None = None, **more: Any) -> str:
        """Post one event; its id."""
        return self.take({"type": "event", "user": user, "name": name, "properties": properties or {}, **more})[0]

    # What the sender would do.

    def ended(self, message: str, outcome: Outcome | None, number: int = 1, adaptor: str = "twilio") -> None:
        """An attempt is over."""
        now = clock.now()
        self.do(
            Record(
                Attempted(
                    message=message, adaptor=adaptor, number=number, outcome=outcome, started_at=now, ended_at=now
                )
            )
        )

    def submit_claimed(self) -> list[str]:
        """The carrier takes all that is claimed; the messages' ids."""
        taken = [one.id for one in self.claimed]
        self.claimed.clear()
        for one in taken:
            self.ended(one, Submitted(provider_id=f"SM{one}", status="queued"))
        return taken

    # What is on disk.

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows straight from the file."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5)) as file:
            return list(file.execute(sql, values))

    def execute(self, sql: str, *values: Any) -> None:
        """Change the file behind oncue's back."""
        with closing(sqlite3.connect(self.path, timeout=5, isolation_level=None)) as file:
            file.execute(sql, values)

    def events(self, user: str | None = None) -> list[str]:
        """Names of events in order of commit."""
        sql = "SELECT name FROM store_event WHERE ? IS NULL OR user_id = ? ORDER BY seq"
        return [name for (name,) in self.rows(sql, user, user)]

    def messages(self, columns: str = "id, state, reason") -> list[tuple[Any, ...]]:
        """Messages in order of commit."""
        return self.rows(f"SELECT {columns} FROM store_message ORDER BY seq")

    def states(self) -> dict[str, int]:
        """How many messages are in each state."""
        return dict(self.rows("SELECT state, COUNT(*) FROM store_message GROUP BY state"))

    def user(self, one: str) -> Any:
        """A user's properties."""
        return msgspec.json.decode(self.rows("SELECT properties FROM store_user WHERE id = ?", one)[0][0])


def point_at(path: Path, busy_for: float = 10.0) -> None:
    """Have Django use this file: it is configured once a process, and each test has a file of its own."""
    if not settings.configured:
        database.configure(path)
    connections.close_all()
    connections.settings["default"]["NAME"] = str(path)
    connections.settings["default"]["OPTIONS"]["timeout"] = busy_for


_fresh: list[Path] = []


def fresh_database(folder: Path) -> Path:
    """A migrated file without data, made once a session."""
    if not _fresh or not _fresh[0].exists():
        path, here = folder / "fresh.db", connections.settings["default"]["NAME"]
        point_at(path)
        database.migrate()
        point_at(Path(here), connections.settings["default"]["OPTIONS"]["timeout"])
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _fresh[:] = [path]
    return _fresh[0]


async def request(
    app: Any, method: str, path: str, body: bytes | Iterable[Any] = b"", headers: Mapping[bytes, bytes] | None = None
) -> Answer:
    """Call an ASGI application as a server does."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": list((headers or {}).items()),
    }
    pieces = [body] if isinstance(body, bytes) else list(body)
    incoming = [
        {"type": "http.disconnect"}
        if piece is None
        else {"type": "http.request", "body": piece, "more_body": index < len(pieces) - 1}
        for index, piece in enumerate(pieces)
        if piece is not ...
    ]
    answer = Answer(0, {}, b"")

    async def receive() -> dict[str, Any]:
        if not incoming:  # the client says nothing more, and does not hang up
            await asyncio.get_running_loop().create_future()
        return incoming.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    """With a key, Twilio and one rule that texts on `booked`."""
    yield from opened(Inside(tmp_path))


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Inside]:
    """The same, but it waits for the database's lock for a moment only."""
    yield from opened(Inside(tmp_path, busy_for=0.05))


def opened(one: Inside) -> Iterator[Inside]:
    one.apply(LOOP)
    one.open()
    yield one
    one.close()


@pytest.fixture(autouse=True)
def clock_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that turns the clock turns it for itself only."""
    monkeypatch.setattr(clock, "_turned_by", 0)


def turn(seconds: float) -> None:
    """Turn the clock forward."""
    clock.turn(int(seconds * clock.SECOND))


@contextmanager
def locked(one: Inside) -> Iterator[None]:
    """Another connection holds the database's write lock."""
    with closing(sqlite3.connect(one.path, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.execute("ROLLBACK")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
