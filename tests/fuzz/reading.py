"""What the promises have in common: taking an input apart, and looking at what came of it."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from oncue.core.keeping import unfit_value

LONGEST_SENTENCE = 12_000
"""Characters: a sentence may quote a path of 32 names of 200."""


def said(sentence: Any) -> None:
    """A refusal is a sentence that can be sent as JSON, and does not repeat all that came."""
    assert isinstance(sentence, str) and sentence.strip() and len(sentence) <= LONGEST_SENTENCE, sentence[:300]
    msgspec.json.encode(sentence)


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types throughout: 1 is not 1.0 and not true."""
    return one == other and repr(one) == repr(other)


_watching: list[bool] = []


class Watched:
    """While it holds, whatever opens a file, a socket or a process fails."""

    def __enter__(self) -> None:
        if not _watching:
            sys.addaudithook(_refuse)
        _watching.append(True)

    def __exit__(self, *_: object) -> None:
        _watching[:] = [False]


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if _watching[-1] and event.startswith(("open", "os.", "socket.", "subprocess.", "shutil.")):
        raise SystemExit(f"a template reached outside: {event} {args}")


def parts(data: bytes, count: int) -> list[bytes]:
    found = data.split(b"\n%%\n", count - 1)
    return found + [b""] * (count - len(found))


def texts(data: bytes, count: int) -> list[str]:
    return [one.decode("utf-8", "replace") for one in parts(data, count)]


def from_json(text: str, otherwise: Any) -> Any:
    """What msgspec reads, as everywhere; no half characters, no integers past 64 bits."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return otherwise
    return otherwise if unfit_value(found, "it", 2) else found


def scope_in(text: str) -> dict[str, Any]:
    found = from_json(text, None)
    found = found if isinstance(found, dict) else {}
    return {root: one if isinstance(one := found.get(root), dict) else {"n": 1, "t": "x"} for root in ("event", "user")}
