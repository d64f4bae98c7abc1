"""The process: the ear, the face, the store and the workers under one ASGI application, started and stopped in order.

Start: lock the data directory, migrate, settle what an earlier run left, start the writer, then the workers, then listen. Stop: take no
new message in hand, record the calls under way, commit what is queued.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from oncue import adaptors
from oncue.core import ids
from oncue.core.adaptor import Adaptor, reserved
from oncue.core.items import StoreUnavailable
from oncue.ingest import build
from oncue.settings import Settings
from oncue.store import boot, database
from oncue.store.doors import Doors
from oncue.store.secrets import Vault, keys_in
from oncue.store.writer import Writer
from oncue.web import backstage, site
from oncue.web.live import PATH as LIVE
from oncue.web.live import Live
from oncue.workers import checks, probing
from oncue.workers.alerts import LOOK_AFTER, Alerts
from oncue.workers.copies import Copies
from oncue.workers.http import Client
from oncue.workers.janitor import Janitor
from oncue.workers.poller import Poller
from oncue.workers.reconciler import Reconciler
from oncue.workers.sender import Sender
from oncue.workers.supervisor import Supervisor

log = logging.getLogger("oncue")

RECONCILE_AFTER = 5.0
"""Seconds between rounds of the reconciler."""

FORGET_COPIES_AFTER = 2.0
"""Seconds between rounds of having providers forget what messages say."""

BUSY_FOR = 2.0
"""Seconds for which a lock that another process holds is waited for: clients hear 503 rather than wait for longer."""

STOP_WITHIN = 8.0
"""Seconds for calls under way to end and be recorded; a service manager waits ten before it kills."""


def open_store(settings: Settings) -> Vault:
    """Have the data directory, its database at the current schema, and the key to its secrets."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with database.opening(settings.data_dir):
        keys = [one for one in (settings.secret_key, settings.secret_key_before) if one] or keys_in(settings.data_dir)
        database.configure(
            settings.database,
            secret_key=hashlib.sha256(f"pages {keys[0]}".encode()).hexdigest(),
            apps=site.APPS,
            **site.django_settings(settings.public_url, settings.host),
        )
        database.migrate(settings.data_dir)
    return Vault(*keys)


class Process:
    """Everything that runs. `running` is entered for as long as it does."""

    def __init__(
        self,
        settings: Settings,
        vault: Vault,
        catalogue: Mapping[str, Adaptor] | None = None,
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue or adaptors.load()
        self._vault = vault
        self.writer: Writer | None = None
        self.app: Any = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Any]:
        """Start, yield the ASGI application, stop."""
        handle = database.lock(self.settings.data_dir)
        try:
            await asyncio.to_thread(boot.settle)
            database.wait_for_lock(BUSY_FOR)
            client = Client()
            sender = Sender(client, self.settings.public_url)
            self.writer = writer = await asyncio.to_thread(Writer, self.catalogue, self._vault, ids.new(), sender.take)
            sender.serve(writer)
            if not self.settings.public_url:
                writer.hold(name for name, one in self.catalogue.items() if one.poll)
            writer.start()
            supervisor = self._supervise(writer, client)
            _rest_the_collector()
            face = self._face(writer)
            self.app = build(
                Doors(writer, self.settings.public_url),
                reserved=reserved(self.catalogue),
                origins=self.settings.allowed_origins,
                pages=site.first_segments(),
                fallback=face,
            )
            log.info(
                "ready; %s", f"providers call {url}" if (url := self.settings.public_url) else "providers are polled"
            )
            try:
                yield self.app
            finally:
                writer.stop_claiming()
                with suppress(StoreUnavailable, TimeoutError):  # a transaction under way may still claim
                    await writer.probe(STOP_WITHIN / 4)
                left, _ = await asyncio.gather(sender.drain(STOP_WITHIN * 3 / 4), supervisor.stop(STOP_WITHIN / 2))
                if left:
                    log.warning("calls that had not ended: %d; their messages will be held as unknown", left)
                await writer.stop()
                await client.close()
                backstage.close()
        finally:
            handle.close()

    def _face(self, writer: Writer) -> Any:
        """The pages, and the stream that keeps them live."""
        behind = backstage.Backstage(
            writer=writer,
            vault=self._vault,
            loop=asyncio.get_running_loop(),
            public_url=self.settings.public_url,
            check=checks.check_adaptor,
            set_inbound=checks.set_inbound,
            probe=probing.probe,
        )
        backstage.open_to(behind)
        live, pages = Live(behind), site.application()

        async def face(scope: Any, receive: Any, send: Any) -> None:
            await (live if scope["path"] == LIVE else pages)(scope, receive, send)

        return face

    def _supervise(self, writer: Writer, client: Client) -> Supervisor:
        supervisor = Supervisor()
        janitor = Janitor(writer)
        supervisor.every(5.0, "janitor", janitor.sweep)
        supervisor.every(600.0, "forgetting", janitor.forget)
        supervisor.every(LOOK_AFTER, "alerts", Alerts(writer, client, self.settings.public_url).look)
        supervisor.every(RECONCILE_AFTER, "reconciler", Reconciler(writer, client).look)
        supervisor.every(FORGET_COPIES_AFTER, "copies", Copies(writer, client).look)
        if not self.settings.public_url:
            supervisor.every(0.5, "poller", Poller(writer, client).poll)
        return supervisor


def _rest_the_collector() -> None:
    """What was loaded stays for good, so the collector need not look at it, not even once; and it looks less often, since requests leave few
    cycles."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


def application(process: Process) -> Any:
    """The ASGI application that a server runs: starts and stops the process with its lifespan."""
    started: Any = None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal started
        if scope["type"] != "lifespan":
            await started(scope, receive, send)
            return
        await receive()
        try:
            async with process.running() as started:
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            if started is None and (isinstance(error, database.InUse) or database.is_at_fault(error)):
                message = str(error) if isinstance(error, database.InUse) else database.sentence(error)
                await send({"type": "lifespan.startup.failed", "message": message})
                return
            raise
        await send({"type": "lifespan.shutdown.complete"})

    return app
