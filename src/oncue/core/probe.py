"""Probes: a call as a provider would make it, made by oncue to its own public URL, and where it stopped on the way.

What it promises: a probe speaks of no message there is, so it changes nothing. What it cannot show: that a firewall lets the provider in,
since it starts on this machine.
"""

from __future__ import annotations

import msgspec


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One call, signed as the provider signs."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the way: what was tried, whether it went well, and a sentence that says what was found and what to do."""

    label: str
    tone: str
    """`good`, `warn` (it works, but look at it) or `bad` (here it stopped)."""
    sentence: str


GOOD, WARN, BAD = "good", "warn", "bad"
