"""The dial of the simulated carrier: what can be made to go wrong, in words, and what a form asks of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from django.http import QueryDict


class Kind(msgspec.Struct, frozen=True):
    """A fault: the carrier's name of it, ours, and what it takes beside (`code` or `seconds`)."""

    name: str
    label: str
    takes: str = ""
    usual: int = 0


KINDS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (
        "What becomes of a message",
        (
            Kind("undelivered", "Undelivered", "code", 30003),
            Kind("failed", "Failed", "code", 30008),
            Kind("refuse", "Refused at once", "code", 21610),
            Kind("stuck", "Nothing follows the first status"),
        ),
    ),
    (
        "Callbacks",
        (
            Kind("callback_late", "Callbacks come late", "seconds", 10),
            Kind("callback_lost", "Callbacks are lost"),
            Kind("callback_repeat", "Callbacks come twice"),
            Kind("callback_reorder", "Callbacks come in reverse order"),
            Kind("callback_early", "Callbacks come before the answer"),
        ),
    ),
    (
        "Answers to oncue",
        (
            Kind("429", "429: too many requests"),
            Kind("503", "503: not available"),
            Kind("500_before", "500, and nothing was accepted"),
            Kind("500_after", "500, though it was accepted"),
            Kind("html_502", "502 with a page of HTML"),
            Kind("hang", "Time-out after it was accepted", "seconds", 60),
            Kind("slow", "A slow answer", "seconds", 5),
            Kind("drop_before", "The connection drops before it is accepted"),
            Kind("drop_after", "The connection drops after it was accepted"),
            Kind("auth", "The credentials are refused"),
        ),
    ),
)

_BY_NAME = {kind.name: kind for _, kinds in KINDS for kind in kinds}

CODES = ("30003", "30005", "30006", "30007", "30008", "21610", "21211", "21612", "21614", "21408", "30001", "30002")
"""Error codes that are often met."""

PACES = (("0", "At once"), ("0.2", "Quick: 0.2 seconds"), ("0.7", "Calm: 0.7 seconds"), ("3", "Slow: 3 seconds"))

TIMES = (("-1", "Every time"), ("1", "Once"), ("3", "Three times"))


def asked(post: QueryDict) -> dict[str, Any] | str:
    """What the form asks of the carrier, or the sentence that says what is wrong with it."""
    kind = _BY_NAME.get(post.get("kind", ""))
    if kind is None:
        return "Choose what goes wrong."
    number = re.sub(r"[\s().-]", "", post.get("to", ""))
    if number and not re.fullmatch(r"\+?\d{3,15}", number):
        return f"{number!r} is no phone number; write it with + and country code, or leave it empty for all."
    found: dict[str, Any] = {"kind": kind.name, "to": number, "times": _whole(post.get("times", ""), -1)}
    given = post.get(kind.takes, "").strip() if kind.takes else ""
    if given and not re.fullmatch(r"\d{1,6}", given):
        return "An error code is a number such as 30003." if kind.takes == "code" else "Seconds are a whole number."
    if kind.takes:
        found[kind.takes] = int(given or kind.usual)
    return found


def told(fault: dict[str, Any], explain: Callable[[str], str]) -> str:
    """A fault that is in force, as people say it."""
    kind = _BY_NAME.get(fault["kind"], Kind(fault["kind"], fault["kind"]))
    more = ""
    if kind.takes == "code":
        code = str(fault["code"] or kind.usual)
        meaning = explain(code).partition(". ")[0].rstrip(".")  # what to do about it is no matter here
        more = f" with error {code}" + (f" ({meaning})" if meaning else "")
    elif kind.takes == "seconds":
        more = f", {fault['seconds']:g} seconds"
    whom = f"for {fault['to']}" if fault["to"] else "for every number"
    times = fault["times"]
    often = "" if times < 0 else ", used up" if times == 0 else ", once more" if times == 1 else f", {times} times more"
    return f"{kind.label}{more}, {whom}{often}."


def _whole(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,4}", text) else otherwise
