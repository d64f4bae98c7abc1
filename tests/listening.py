"""The statements that the writer runs, overheard: what something costs."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from django.db import connection

from inside import Inside
from oncue.store import statements as written
from oncue.store.jobs import Edit


@contextmanager
def listening(inside: Inside, monkeypatch: pytest.MonkeyPatch):
    """The statements that the writer runs meanwhile."""
    heard: list[str] = []

    def note(execute, sql, params, many, context):
        heard.append(sql)
        return execute(sql, params, many, context)

    run = written._run
    with monkeypatch.context() as patched:
        patched.setattr(written, "_run", lambda sql, values: (heard.append(sql), run(sql, values))[1])
        inside.do(Edit(lambda: connection.execute_wrappers.append(note)))
        heard.clear()
        yield heard
        inside.do(Edit(lambda: connection.execute_wrappers.remove(note)))


def reads(inside: Inside, monkeypatch: pytest.MonkeyPatch, *items: tuple[str, str]) -> list[str]:
    with listening(inside, monkeypatch) as heard:
        inside.take(*({"type": "event", "user": user, "name": name} for user, name in items))
    return [
        sql
        for sql in heard
        if re.match(r"\s*(SELECT|WITH)", sql) and "store_setting" not in sql and "store_eventname" not in sql
    ]
