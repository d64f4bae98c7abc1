"""How long each page takes the server, with a thousand messages in the store and with a million: pages may not slow down with history.

`python tests/bench/pages.py` alone, or as a part of `make bench`. Times are medians of requests over one connection, signed in.
"""

from __future__ import annotations

import http.client
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from oncue.core import clock
from oncue.testing import Oncue

PASSWORD = "correct horse battery 7"
FEW, MANY = 1_000, 1_000_000
AIM = 1.5
ROUNDS = 25

RULES = """
api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]
rules:
  - key: booking
    name: Booking confirmation
    state: "on"
    category: transactional
    triggers: [booking_confirmed]
    actions: [{action: event.emit, name: booked}]
"""

# Ids begin with their time, so that they sort as they were made: one a second, ending now.
_ID = "printf('%012x%s%010x', {began} + n * 1000, '{kind}', n)"
_NUMBERS = "WITH RECURSIVE given (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM given WHERE n < {count}) "
_USERS = (
    "INSERT INTO store_user (id, properties, phone, created_at, updated_at) SELECT 'u' || n, "
    '\'{{"first_name":"Ann","phone_number":"+1617\' || (2000000 + n) || \'"}}\', \'+1617\' || (2000000 + n), {began}, {began} FROM given'
)
_EVENTS = (
    "INSERT INTO store_event (id, user_id, name, properties, timestamp, received_at, source, cause, root, depth, raw) SELECT "
    + _ID
    + ", 'u' || (n % {users} + 1), 'booking_confirmed', '{{\"booking_id\":\"B-' || n || '\",\"amount\":25}}', {began} + n * 1000, {began} + n * 1000, "
    "'shop', '', " + _ID + ", 0, '' FROM given"
)
_MESSAGES = (
    "INSERT INTO store_message (id, user_id, rule, event, root, depth, adaptor, action, category, priority, fields, recipient, sender, country, "
    "scopes, lane, per_second, warnings, state, reason, carrier_status, provider_id, error_code, error_message, raised, attempts, boot, send_by, "
    "due_at, created_at, updated_at) SELECT "
    + _ID.replace("{kind}", "{message}")
    + ", 'u' || (n % {users} + 1), 'booking', "
    + _ID
    + ", "
    + _ID
    + ", 0, 'twilio', 'send_message', 'transactional', 0, '{{\"body\":\"Booking B-' || n || ' is confirmed.\"}}', '+1617' || (2000001 + n % {users}), "
    "'+15005550006', 'US', '[\"+15005550006\"]', 'twilio +15005550006', 1, '[]', 'accepted', '', CASE WHEN n % 10 = 0 THEN 'undelivered' ELSE "
    "'delivered' END, 'SM' || n, CASE WHEN n % 10 = 0 THEN '30003' ELSE '' END, '', 'queued,sent,delivered', 1, '', {began} + n * 1000, {began} + n * 1000, "
    "{began} + n * 1000, {began} + n * 1000 FROM given"
)
_COUNTERS = (
    "INSERT INTO store_counter (hour, name, label, count) SELECT {hour} - n % 720, CASE n / 720 WHEN 0 THEN 'event' WHEN 1 THEN 'submitted' WHEN 2 THEN "
    "'message' ELSE 'fired' END, CASE n / 720 WHEN 0 THEN 'booking_confirmed' WHEN 2 THEN 'waiting' ELSE 'booking' END, 500 FROM given"
)


def fill(database: Path, count: int) -> None:
    """Have so many events, a message of each, and a tenth as many users."""
    users = max(10, count // 10)
    values = {"count": count, "users": users, "began": clock.now() - count * 1000, "kind": "aaaaaaaaaa", "message": "bbbbbbbbbb", "hour": clock.now() // 3_600_000}  # fmt: skip
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        file.execute("PRAGMA synchronous=OFF")
        file.execute("BEGIN")
        file.execute((_NUMBERS.replace("{count}", str(users)) + _USERS).format(**values))
        file.execute((_NUMBERS + _EVENTS).format(**values))
        file.execute((_NUMBERS + _MESSAGES).format(**values))
        file.execute((_NUMBERS.replace("{count}", "2879") + _COUNTERS).format(**values))
        file.execute("INSERT OR IGNORE INTO store_eventname (name, first_at) VALUES ('booking_confirmed', 0)")
        file.execute("COMMIT")


class Visitor:
    """A browser without a screen: one connection, one session."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}

    @property
    def is_signed_in(self) -> bool:
        """Whether it has a session."""
        return "oncue_session" in self._cookies

    def sign_in(self) -> None:
        """As the form does."""
        page = self.get("/sign-in")[1].decode()
        token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        body = f"csrfmiddlewaretoken={token}&email=owner%40example.com&password={PASSWORD.replace(' ', '+')}"
        status, _, _ = self._ask("POST", "/sign-in", body.encode())
        if status != 302:
            raise SystemExit(f"Signing in was answered with {status}.")

    def get(self, path: str) -> tuple[int, bytes, float]:
        """Status, body, and seconds until the last byte."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes, float]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, content, took


def pages(count: int) -> list[str]:
    """What is measured; {id} stands for the newest message's and its event's id."""
    return [
        "/", "/?range=30d", "/rules", "/rules/booking", "/messages", "/messages?rule=booking", "/messages?status=undelivered", "/messages?status=failed",
        f"/messages?user=u{min(7, count)}", "/messages/{message}", "/replies", "/events", "/events?name=booking_confirmed", "/events/{event}",
        "/users", "/users?q=u7", "/users/u7", "/opt-outs", "/adaptors", "/settings", "/api/v1/openapi.json",
    ]  # fmt: skip


@contextmanager
def opened(folder: Path, count: int) -> Iterator[Callable[[str], float]]:
    """An oncue with so many messages, as a function: page → milliseconds that one request takes."""
    folder.mkdir()
    oncue = Oncue(folder, rules=RULES)
    oncue.apply(RULES)
    done = oncue.run("member", "create", "owner@example.com", "--password-stdin", text=PASSWORD)
    if done.returncode:
        raise SystemExit(done.stderr)
    fill(folder / "data" / "oncue.db", count)
    oncue.start()
    try:
        [(message, event)] = oncue.query("SELECT id, event FROM store_message ORDER BY seq DESC LIMIT 1")
        visitor = Visitor(oncue.port)

        def ask(page: str) -> float:
            if not visitor.is_signed_in:  # not before: a connection that rests while the other is filled is closed
                visitor.sign_in()
            there = page.format(message=message, event=event)
            status, _, took = visitor.get(there)
            if status != 200:
                raise SystemExit(f"{there} answered {status}.")
            return took * 1000

        yield ask
    finally:
        oncue.stop()


def compare(folder: Path, few: int = FEW, many: int = MANY) -> list[tuple[str, float, float]]:
    """(page, milliseconds with few, with many). Both are asked in turn: what slows the machine down for a while slows down both."""
    folder.mkdir(exist_ok=True)
    found = []
    with opened(folder / "few", few) as small, opened(folder / "many", many) as large:
        for page in pages(few):
            small(page), large(page)  # the first request of a page reads its templates
            took = [(small(page), large(page)) for _ in range(ROUNDS)]
            before, after = (statistics.median(times) for times in zip(*took, strict=True))
            found.append((page, before, after))
    return found


def show(rows: list[tuple[str, float, float]], few: int = FEW, many: int = MANY) -> None:
    """As a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("page", f"ms with {few:,}", f"with {many:,}", f"ratio (aim {AIM})"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for path, before, after in rows:
        table.add_row(path, f"{before:.1f}", f"{after:.1f}", f"{after / before:.2f}")
    Console().print(table)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        show(compare(Path(place)))
