"""What the ear asks of the store: who holds this key, take these items in, these reports, are you ready."""

from __future__ import annotations

from collections.abc import Sequence

from oncue.core.adaptor import Config, Inbound, Reply, Status
from oncue.core.items import Identified, Item, Key, StoreUnavailable, Verdict
from oncue.store import keys
from oncue.store.identify import Identify
from oncue.store.jobs import Intake, Reports
from oncue.store.metrics import metrics
from oncue.store.writer import Writer

_READY_WITHIN = 5.0


class Doors:
    """Implements `oncue.ingest.doors.Doors` on the one writer."""

    def __init__(self, writer: Writer, public_url: str) -> None:
        self.public_url = public_url
        self._writer = writer

    async def intake(self, key: Key, items: Sequence[Item]) -> list[Verdict]:
        """Verdicts in order, after the commit. Raises `StoreUnavailable`, `Overloaded`."""
        verdicts: list[Verdict] = await self._writer.do(Intake(key, items))
        return verdicts

    async def identify(self, key: Key, device: str, user: str) -> Identified:
        """Returns after the commit. Raises `StoreUnavailable`, `Overloaded`, `Poisoned`."""
        identified: Identified = await self._writer.do(Identify(key, device, user))
        return identified

    async def reports(self, adaptor: str, reports: Sequence[Status | Reply]) -> None:
        """Returns after the commit. Raises `StoreUnavailable`, `Overloaded`, `Poisoned`."""
        await self._writer.do(Reports(adaptor, reports))

    def key(self, token: str) -> Key | None:
        """The key with that value."""
        return keys.find(self._writer.snapshot, token)

    def app_keys(self, app: int) -> Sequence[tuple[str, Key]]:
        """A Swrve app's keys, each with its value."""
        return self._writer.snapshot.apps.get(app, ())

    def inbound(self, adaptor: str, name: str) -> tuple[Inbound, Config] | None:
        """A configured adaptor's door. An inactive adaptor still hears what became of what it sent."""
        declared = self._writer.snapshot.catalogue.get(adaptor)
        configured = self._writer.snapshot.adaptors.get(adaptor)
        if declared is None or configured is None:
            return None
        found = next((one for one in declared.inbound if one.name == name), None)
        return (found, configured.config) if found else None

    async def ready(self) -> str:
        """Empty when a transaction commits; else why it does not."""
        try:
            await self._writer.probe(_READY_WITHIN)
        except StoreUnavailable as unavailable:
            return f"The database cannot commit: {unavailable}"
        except TimeoutError:
            return f"The database has not committed anything for {_READY_WITHIN:.0f} seconds."
        return ""

    @property
    def boot(self) -> str:
        """The id of this process."""
        return self._writer.boot

    def is_ours(self, ticket: str) -> bool:
        """Whether a program made it that has this installation's key."""
        return self._writer.vault.is_ticket(ticket)

    def metrics(self) -> str:
        """What the writer counts, as Prometheus text."""
        return metrics(self._writer)
