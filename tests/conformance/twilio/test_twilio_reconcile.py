"""Looking into Twilio's list: which of its messages may be ours, by its clock; and what became of those whose callbacks are late."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from oncue.adaptors.twilio import adaptor
from oncue.core import clock
from oncue.core.adaptor import Asked, Found, Sought
from oncue.core.http import NotKnown, Response

ANN, SENDER, SERVICE = "+16175551212", "+15005550006", "MG" + "0" * 32
BODY = "It’s 5 o’clock: see https://shop.example.com/o/1?x=2"


class Carrier:
    """The list of a carrier whose clock may be off from ours, and the requests it saw."""

    def __init__(self, *rows: dict[str, Any], off: int = 0, page: int = 50, status: int = 200) -> None:
        self.off, self.page, self.status = off, page, status
        self.rows = [self._row(number, row) for number, row in enumerate(rows)]
        self.urls: list[str] = []

    def _row(self, number: int, given: dict[str, Any]) -> dict[str, Any]:
        at = clock.now() + self.off - given.pop("age", 1) * clock.MINUTE
        row = {"sid": f"SM{number}", "status": "sent", "direction": "outbound-api", "from": SENDER, "to": ANN, "body": BODY, "num_media": "0", "error_code": None}  # fmt: skip
        return {**row, "date_created": formatdate(at / clock.SECOND, usegmt=True), **given}

    async def request(self, method: str, url: str, **_: Any) -> Any:
        assert method == "GET"
        self.urls.append(url)
        headers = {"date": formatdate((clock.now() + self.off) / clock.SECOND, usegmt=True)}
        parts = urlsplit(url)
        if self.status != 200:
            return Response(status=self.status, headers=headers, body=b"{}")
        if not parts.path.endswith("/Messages.json"):
            sid = parts.path.rpartition("/")[2].removesuffix(".json")
            row = next((one for one in self.rows if one["sid"] == sid), None)
            return Response(
                status=200 if row else 404, headers=headers, body=msgspec.json.encode(row or {"code": 20404})
            )
        start = int(parse_qs(parts.query).get("Page", ["0"])[0]) * self.page
        more = f"{parts.path}?{parts.query.partition('&Page=')[0]}&Page={start // self.page + 1}"
        page = {"messages": self.rows[start : start + self.page], "next_page_uri": more if start + self.page < len(self.rows) else None}  # fmt: skip
        return Response(status=200, headers=headers, body=msgspec.json.encode(page))


def sought(message: str = "m1", age: float = 1, **fields: Any) -> Sought:
    """Its attempt lasted a few seconds, so long ago (minutes)."""
    at = clock.now() - int(age * clock.MINUTE)
    return Sought(
        message=message,
        fields={"to": ANN, "from": SENDER, "body": BODY, **fields},
        since=at,
        until=at + 5 * clock.SECOND,
    )


def find(carrier: Carrier, config: dict[str, Any], *messages: Sought) -> Found:
    return asyncio.run(adaptor.find(carrier, config, ANN, messages or (sought(),)))  # type: ignore[misc,arg-type]


def likes(found: Found) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    assert not found.problem, found.problem
    return [(one.could_be, one.reads_like) for one in found.candidates]


IT, MAYBE = (("m1",), ("m1",)), (("m1",), ())


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, [IT]),
        ({"body": "It's 5 o'clock: see https://shop.example.com/o/1?x=2"}, [IT]),  # smart encoding
        ({"body": "It’s 5 o’clock: see twil.io/abC12"}, [IT]),  # a shortened link
        ({"body": f"Sent from your Twilio trial account - {BODY}"}, [IT]),
        ({"body": "Something else"}, [MAYBE]),
        ({"num_media": "1"}, [MAYBE]),
        ({"status": "failed", "error_code": 30003}, [IT]),
        ({"from": "+15005550007"}, []),  # another number of the account
        ({"direction": "inbound"}, []),
        ({"age": 2.9}, [IT]),
        ({"age": 3.2}, [MAYBE]),  # our clock may have been set right since
        ({"age": 3.2, "body": "Something else"}, []),
        ({"age": -0.9}, [IT]),
        ({"age": -1.04}, [IT]),  # the attempt lasted five seconds
        ({"age": -1.6 - 1}, [MAYBE]),
        ({"age": -1.6 - 1, "body": "Something else"}, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("off", [0, clock.MINUTE, -clock.MINUTE, 10 * clock.MINUTE])
def test_by_time_sender_and_text_whatever_the_clocks_say(config, row, expected, off):
    assert likes(find(Carrier(dict(row), off=off), config)) == expected


@pytest.mark.parametrize(
    ("fields", "row", "expected"),
    [
        ({"from": None, "messaging_service_sid": SERVICE}, {"messaging_service_sid": SERVICE, "from": "+15005550007"}, [IT]),
        ({"from": None, "messaging_service_sid": SERVICE}, {"messaging_service_sid": SERVICE, "from": None}, [IT]),
        ({"from": None, "messaging_service_sid": SERVICE}, {"messaging_service_sid": "MG" + "1" * 32}, []),
        ({"from": None, "messaging_service_sid": SERVICE}, {}, [IT]),  # it says nothing of a service: it may be
        ({"from": "SHOP"}, {"from": "+15005550007"}, [IT]),  # a name that a country turned into a number
        ({"content_sid": "HX" + "0" * 32, "body": None}, {}, [MAYBE]),  # its text is not known here
        ({"media_urls": ["https://x.example/1.png"]}, {"num_media": "1"}, [IT]),
    ],
)  # fmt: skip
def test_by_service_and_content(config, fields, row, expected):
    assert likes(find(Carrier(dict(row)), config, sought(**fields))) == expected


def test_of_two_messages_each_candidate_says_whose_it_may_be(config):
    rows = [{"age": 1, "body": "one"}, {"age": 8, "body": "two"}, {"age": 8, "body": "one"}]
    found = find(Carrier(*rows), config, sought("m1", 1, body="one"), sought("m2", 8, body="two"))
    assert likes(found) == [(("m1",), ("m1",)), (("m2",), ("m2",)), (("m1", "m2"), ())]


def test_all_pages_of_the_time_are_read_and_no_more(config):
    carrier = Carrier(*[{"body": "x"} for _ in range(70)], {}, *[{"age": 60} for _ in range(500)], page=50)
    assert likes(find(carrier, config)).count(IT) == 1
    assert len(carrier.urls) == 2


def test_more_than_can_be_looked_through_is_said(config):
    found = find(Carrier(*[{} for _ in range(50)], page=2), config)
    assert not found.candidates and "too many messages" in found.problem


def test_a_clock_far_off_is_said(config):
    found = find(Carrier({}, off=20 * clock.MINUTE), config)
    assert not found.candidates and "20 minutes" in found.problem


@pytest.mark.parametrize(("status", "says", "after"), [(429, "", 30.0), (500, "", None), (401, "", None)])
def test_a_list_that_cannot_be_read_shows_nothing(config, status, says, after):
    found = find(Carrier({}, status=status), config)
    assert found.problem and found.after == after and not found.candidates


def test_members_say_whether_it_may_be_sent_again(config):
    assert find(Carrier(), config).may_send_again
    assert not find(Carrier(), {**config, "when_unknown": "hold"}).may_send_again


def fetch(carrier: Carrier, config: dict[str, Any], count: int) -> Any:
    asked = [Asked(f"SM{number}", clock.now() - clock.MINUTE) for number in range(count)]
    return asyncio.run(adaptor.fetch(carrier, config, asked))  # type: ignore[misc,arg-type]


def test_a_few_are_asked_after_one_by_one(config):
    carrier = Carrier({"status": "delivered"}, {"status": "undelivered", "error_code": 30003})
    told = fetch(carrier, config, 3)  # Twilio does not know the third: somebody deleted it
    assert [(one.provider_id, one.status, one.implied, one.error_code) for one in told.reports] == [("SM0", "delivered", ("sent",), ""), ("SM1", "undelivered", ("sent",), "30003")]  # fmt: skip
    assert len(carrier.urls) == 3 and not told.problem


def test_many_are_found_in_the_list_and_only_the_rest_one_by_one(config):
    carrier = Carrier(*[{"status": "delivered"} for _ in range(200)], page=1_000)
    carrier.rows[7]["sid"] = "another"
    told = fetch(carrier, config, 200)
    assert len(told.reports) == 199 and len(carrier.urls) == 2
    assert "DateSent%3E=" in carrier.urls[0] and "DateSent%3C=" in carrier.urls[0]


@pytest.mark.parametrize("count", [2, 200])
@pytest.mark.parametrize("status", [429, 500, 401])
def test_what_cannot_be_asked_is_said_and_asked_again_later(config, count, status):
    told = fetch(Carrier({}, status=status), config, count)
    assert told.problem and not told.reports and told.after == (30.0 if status == 429 else None)


def test_the_first_that_cannot_be_asked_is_the_last_and_what_was_heard_is_kept(config):
    class Tired(Carrier):
        async def request(self, method: str, url: str, **more: Any) -> Any:
            if len(self.urls) >= 8:
                self.status = 429
            return await super().request(method, url, **more)

    carrier = Tired(*[{"status": "delivered"} for _ in range(60)])
    told = fetch(carrier, config, 60)
    assert told.problem and len(told.reports) == 8 and len(carrier.urls) <= 12


def test_a_connection_that_breaks_is_said(config):
    class Broken(Carrier):
        async def request(self, method: str, url: str, **_: Any) -> Any:
            return NotKnown("The connection broke.")

    assert (
        "connection broke" in find(Broken(), config).problem
        and "connection broke" in fetch(Broken(), config, 1).problem
    )
