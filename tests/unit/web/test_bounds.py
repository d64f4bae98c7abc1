"""What is sent to a page is bounded before anything of it is kept."""

from __future__ import annotations

import asyncio
import json

import pytest

from oncue.web.bounds import MOST_BYTES, Bounded


def ask(headers, pieces):
    """(what the application read, the status it or the limit answered)."""
    taken, answered = bytearray(), []

    async def app(scope, receive, send):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            taken.extend(message["body"])
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})

    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    waiting[-1]["more_body"] = False

    async def receive():
        return waiting.pop(0)

    async def send(message):
        answered.append(message.get("status"))

    asyncio.run(Bounded(app)({"type": "http", "headers": headers}, receive, send))
    return len(taken), answered[0] if answered else None


@pytest.mark.parametrize("length", [b"6000001", b"99999999999", b"-1", b"many", b"0" * 5_000 + b"6000001"])
def test_a_length_past_the_limit_is_refused_before_anything_is_read(length):
    assert ask([(b"content-length", length)], [b"x"]) == (0, 413)


def test_what_fits_is_read():
    assert ask([(b"content-length", b"6000000")], [b"x" * MOST_BYTES]) == (MOST_BYTES, 200)
    assert ask([], [b""]) == (0, 200)
    assert ask([(b"content-length", b"0" * 5_000 + b"1")], [b"x"]) == (1, 200)


def test_what_says_no_length_ends_when_it_has_grown_too_long():
    """And is answered: the server would log each as a fault of ours, and anybody could send them."""
    taken, status = ask([], [b"x" * 1_000_000] * 10)
    assert taken <= MOST_BYTES and status == 413


def test_a_program_is_refused_as_programs_read_it():
    answered = []

    async def send(message):
        answered.append(message)

    async def nothing(*_):
        raise AssertionError("nothing is read")

    scope = {"type": "http", "path": "/api/v1/users", "headers": [(b"content-length", b"6000001")]}
    asyncio.run(Bounded(nothing)(scope, nothing, send))
    assert (b"content-type", b"application/problem+json") in answered[0]["headers"]
    problem = json.loads(answered[1]["body"])
    assert problem.keys() == {"type", "title", "status", "detail", "errors"}
    assert (problem["status"], problem["detail"]) == (413, "This is larger than 6 MB; send it in parts.")
