"""Probes: a call as a provider would make it, made by oncue to its own public URL, and where it stopped on the way.

What it promises: a probe speaks of no message there is, so it changes nothing. What it cannot show: that a firewall lets the provider in,
since it starts on this machine.
"""

from __future__ import annotations

import hashlib

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


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What reached oncue of a call that `oncue doctor` made, told to nobody else: what a proxy on the way has changed shows in it."""

    boot: str
    """Of the process that was reached: no other has it."""
    version: str
    public_url: str
    """As that process was started with."""
    method: str
    path: str
    """Raw, as it arrived."""
    query: str
    headers: dict[str, str]
    """Names in lower case, and `fingerprint`s of their values."""
    body: str
    """Its `fingerprint`."""


def fingerprint(content: bytes) -> str:
    """Enough of a SHA-256 to tell whether something arrived as it was sent, and nothing of what it is."""
    return hashlib.sha256(content).hexdigest()[:32]


GOOD, WARN, BAD = "good", "warn", "bad"
