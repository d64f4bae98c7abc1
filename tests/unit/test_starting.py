"""A start that cannot be says so in a sentence."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.db import OperationalError

from oncue import asgi
from oncue.store import database


def started_with(error: Exception) -> list[dict[str, Any]]:
    """What the server hears of a process that fails so."""
    said: list[dict[str, Any]] = []

    class Process:
        @asynccontextmanager
        async def running(self):
            raise error
            yield

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    asyncio.run(asgi.application(Process())({"type": "lifespan"}, receive, send))  # type: ignore[arg-type]
    return said


@pytest.mark.parametrize("error", [database.InUse("Another oncue."), OperationalError("database is locked")], ids=repr)
def test_a_database_that_cannot_be_had_is_a_sentence_and_no_trace(error):
    (said,) = started_with(error)
    assert said["type"] == "lifespan.startup.failed" and str(error) in said["message"] and said["message"][-1] == "."


def test_a_fault_of_ours_is_not_taken_for_one_of_the_database():
    with pytest.raises(ZeroDivisionError):
        started_with(ZeroDivisionError())
