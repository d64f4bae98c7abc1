"""The worker that looks for alerts, whose rounds a test takes itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from inside import URL, Inside
from oncue.store import alerts
from oncue.workers.alerts import Alerts
from oncue.workers.http import Client

USER = {"phone_number": "+15005551001"}


class Round:
    """The worker, whose rounds the test takes itself."""

    def __init__(self, inside: Inside, public_url: str = URL) -> None:
        self.inside = inside
        self.client = Client()
        self.alerts = Alerts(inside.writer, self.client, public_url)

    def look(self, times: int = 1) -> list[tuple[str, str]]:
        """(kind, key) of what is open afterwards."""
        for _ in range(times):
            self.inside.run(self.alerts.look())
        return [(row["kind"], row["key"]) for row in self.open()]

    def open(self) -> list[dict[str, object]]:
        return self.inside.run(asyncio.to_thread(alerts.open_ones))

    def sentence(self) -> str:
        (one,) = self.open()
        return str(one["sentence"])

    def closed(self) -> int:
        return int(self.inside.rows("SELECT COUNT(*) FROM store_alert WHERE closed_at IS NOT NULL")[0][0])


@pytest.fixture
def watch(inside: Inside) -> Iterator[Round]:
    round_ = Round(inside)
    yield round_
    inside.run(round_.client.close())


def claimed(inside: Inside, number: int = 1) -> str:
    inside.event(f"u{number}", "booked", user_properties=USER)
    return inside.claimed.pop().id


def submitted(inside: Inside, number: int = 1) -> str:
    inside.event(f"u{number}", "booked", user_properties=USER)
    return inside.submit_claimed()[0]
