"""Findings: what `oncue doctor` looked at, what it found, and the remedy, each for people to read and for programs to sort."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Level(StrEnum):
    """How a finding stands. What could not be looked at is never said to be well."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNSEEN = "unseen"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    level: Level
    about: str
    """What was looked at, in a few words."""
    found: str
    """A sentence."""
    remedy: str = ""
    """What to do, in a sentence; empty where there is nothing to do."""


def ok(about: str, found: str) -> Finding:
    """All is well."""
    return Finding(level=Level.OK, about=about, found=found)


def warning(about: str, found: str, remedy: str = "") -> Finding:
    """It works, but somebody should know."""
    return Finding(level=Level.WARNING, about=about, found=found, remedy=remedy)


def problem(about: str, found: str, remedy: str) -> Finding:
    """Something does not work, or will not."""
    return Finding(level=Level.PROBLEM, about=about, found=found, remedy=remedy)


def unseen(about: str, found: str, remedy: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(level=Level.UNSEEN, about=about, found=found, remedy=remedy)


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What an adaptor is told of the installation when it examines its account."""

    incoming_url: str = ""
    """Where people's messages are to be sent; empty without a public URL."""
    used: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(rule, an action's fields as written) of every action of this adaptor in a rule that is not off."""
