"""Running the simulator as a server, on loopback unless somebody insists."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
import threading

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


def end_unless_held() -> None:
    """End this process when its standard input is closed. Whoever started it holds that open, and the kernel closes it when they die: no
    signal handler of theirs needs to run, and none does after SIGKILL."""
    threading.Thread(target=_end_when_let_go, daemon=True).start()


def _end_when_let_go() -> None:
    while os.read(0, 1_000):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)
