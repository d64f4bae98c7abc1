"""What pages need of the process they run in: the writer to change things through, the vault, the catalogue of adaptors.

Pages run on Django's threads; the writer lives on the event loop. `change` is the way from one to the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from oncue.core.adaptor import Adaptor, Checked
from oncue.core.probe import Step
from oncue.store.config import Snapshot
from oncue.store.jobs import Edit, Job
from oncue.store.secrets import Vault
from oncue.store.writer import Writer

T = TypeVar("T")

CHANGE_WITHIN = 15.0
"""Seconds for a change to be committed."""


class Backstage(msgspec.Struct, frozen=True, kw_only=True):
    """The process behind the pages."""

    writer: Writer
    vault: Vault
    loop: asyncio.AbstractEventLoop
    public_url: str
    check: Callable[[Adaptor, Mapping[str, Any]], Any]
    """Coroutine function: (adaptor, its configuration) → `Checked`, or None where there is nothing to check."""
    set_inbound: Callable[[Adaptor, Mapping[str, Any], str], Any]
    """Coroutine function: (adaptor, its configuration, address) → `Checked`."""
    probe: Callable[[Adaptor, Mapping[str, Any], str], Any]
    """Coroutine function: (adaptor, its configuration, public URL) → steps."""

    @property
    def snapshot(self) -> Snapshot:
        """The configuration in force."""
        return self.writer.snapshot

    @property
    def catalogue(self) -> Mapping[str, Adaptor]:
        """Every adaptor there is, configured or not."""
        return self.writer.snapshot.catalogue

    @property
    def simulator_url(self) -> str:
        """Where a simulated carrier is, if an adaptor's API is on this machine: no provider's ever is. Empty in production."""
        for one in self.snapshot.adaptors.values():
            address = str(one.config.get("api_base_url") or "")
            if urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1"):
                return address.rstrip("/")
        return ""

    def change(self, function: Callable[[], T]) -> T:
        """Run a function inside one of the writer's transactions; what it returns, once that is committed. What it raises is raised here.

        Raises `StoreUnavailable`, `Overloaded`, `TimeoutError`.
        """
        found: T = self.do(Edit(function))
        return found

    def do(self, job: Job) -> Any:
        """Have the writer do a job; its answer, once committed."""
        return asyncio.run_coroutine_threadsafe(self.writer.do(job), self.loop).result(CHANGE_WITHIN)

    def checked(self, adaptor: Adaptor, values: Mapping[str, Any]) -> Checked | None:
        """Ask the provider whether the credentials are good."""
        found: Checked | None = asyncio.run_coroutine_threadsafe(self.check(adaptor, values), self.loop).result(40)
        return found

    def pointed(self, adaptor: Adaptor, values: Mapping[str, Any], url: str) -> Checked:
        """Have the provider send people's messages to this address."""
        found: Checked = asyncio.run_coroutine_threadsafe(self.set_inbound(adaptor, values, url), self.loop).result(40)
        return found

    def probed(self, adaptor: Adaptor, values: Mapping[str, Any]) -> tuple[Step, ...]:
        """Call ourselves through the public URL as the provider would; where that stopped."""
        way = self.probe(adaptor, values, self.public_url)
        found: tuple[Step, ...] = asyncio.run_coroutine_threadsafe(way, self.loop).result(40)
        return found


_current: list[Backstage] = []


def open_to(backstage: Backstage) -> None:
    """This process serves pages from now on."""
    _current[:] = [backstage]


def close() -> None:
    """No more."""
    _current.clear()


def behind() -> Backstage:
    """The process behind the page being served."""
    return _current[0]
