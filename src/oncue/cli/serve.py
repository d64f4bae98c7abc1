"""`oncue serve`: the whole of oncue in one process, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import socket
from typing import Annotated

import typer
import uvicorn
from django.db import transaction

from oncue import asgi
from oncue.cli import connections, logs
from oncue.cli.opened import open_installation
from oncue.cli.terminal import err, escaped, fail, sentences
from oncue.settings import Settings
from oncue.store import database, invitations

log = logging.getLogger("oncue")


def serve(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port to listen on, instead of ONCUE_PORT.")
    ] = None,
) -> None:
    """Take in events and callbacks, decide, send."""
    opened = open_installation(make=True)
    settings = opened.settings
    logs.set_up(settings.log)
    listening = listen(settings.host, port or settings.port)
    with sentences(database.InUse):
        database.lock(settings.data_dir).close()
    link = first_link()
    if settings.log == "console":
        _announce(settings, listening, link)
    elif link:  # which is as good as a password, and so not for a log that is kept
        log.warning("nobody can sign in yet; make the first owner with: oncue member create EMAIL")
    server(asgi.Process(settings, opened.vault, opened.catalogue)).run(sockets=[listening])


def server(process: asgi.Process) -> uvicorn.Server:
    """The HTTP server around a process. Its own signal handling ends it in order."""
    return uvicorn.Server(
        uvicorn.Config(
            asgi.application(process),
            loop="uvloop",
            http=connections.protocol(connections.room()),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            # Callbacks are verified against the public URL, never against headers that a proxy, or anybody, sets.
            proxy_headers=False,
            timeout_graceful_shutdown=3,
            backlog=4096,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address, or a sentence and exit 1."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        fail(f"Cannot listen on {host}:{port} ({error.strerror}); stop what uses it, or set ONCUE_PORT.")
    return listening


def first_link() -> str:
    """The path of a link by which the first owner chooses a password; empty as soon as there is a member."""
    with transaction.atomic():
        token = invitations.first_owner_token()
    return f"/invitation/{token}" if token else ""


def _announce(settings: Settings, listening: socket.socket, link: str) -> None:
    port = listening.getsockname()[1]
    err.print(
        f"oncue serves on http://{settings.host}:{port}, data in {escaped(str(settings.data_dir))}", soft_wrap=True
    )
    if link:
        here = settings.public_url or f"http://{settings.host}:{port}"
        err.print(f"Nobody can sign in yet. The first owner chooses a password at {here}{link}", soft_wrap=True)
    if settings.public_url:
        err.print(f"Providers call {escaped(settings.public_url)}/hooks/…", soft_wrap=True)
    else:
        err.print("ONCUE_PUBLIC_URL is unset: statuses and replies are polled from the provider.", soft_wrap=True)
