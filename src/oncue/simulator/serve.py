"""Running the simulator as a server, on loopback unless somebody insists."""

from __future__ import annotations

import ipaddress
import socket
import sys

import uvicorn

from oncue.simulator.app import Config, build


class NotLoopback(Exception):
    """The address would let others in."""


def listen(host: str, port: int, *, anywhere: bool = False) -> socket.socket:
    """A listening socket. Raises `NotLoopback`, OSError."""
    if not anywhere and host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise NotLoopback(
            f"{host} is not an address of this machine alone; the simulator's credentials are known to everybody."
        )
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening


def server(config: Config) -> uvicorn.Server:
    """The server, not yet running."""
    return uvicorn.Server(
        uvicorn.Config(
            build(config),
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            backlog=4096,
        )
    )


def run(host: str, port: int, config: Config, *, anywhere: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C. Prints its address when it is ready to be called."""
    listening = listen(host, port, anywhere=anywhere)
    listening.listen(4096)  # from now on a connection waits rather than fails
    sys.stdout.write(f"simulator ready on http://{host}:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    server(config).run(sockets=[listening])
