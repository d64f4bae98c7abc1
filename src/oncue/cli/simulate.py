"""`oncue simulate`: the carrier alone, for an app or a test suite of your own."""

from __future__ import annotations

from typing import Annotated

import typer

from oncue.cli.terminal import err, fail
from oncue.simulator import defaults, serve
from oncue.simulator.app import Config


def simulate(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 picks one.")] = 4010,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    pace: Annotated[float, typer.Option(min=0, help="Seconds between a message's statuses; 0 is at once.")] = 0.5,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="Allow an address that others can reach.")] = False,
) -> None:
    """A Twilio-compatible carrier on loopback, with phones and a dial for faults. Ctrl-C ends it."""
    err.print(f"Account SID {defaults.ACCOUNT_SID}, Auth Token {defaults.AUTH_TOKEN}")
    err.print(f"Numbers {', '.join(defaults.NUMBERS)}; messaging service {defaults.SERVICE_SID}")
    err.print('GET /_sim/state tells what was accepted; POST /_sim/phones/+15550001111/send {"body": "STOP"} replies.')
    try:
        serve.run(host, port, Config(pace=pace), anywhere=anywhere)
    except (serve.NotLoopback, ValueError) as error:
        fail(f"{error} Use --anywhere if you mean it.")
    except OSError as error:
        fail(f"Cannot listen on {host}:{port} ({error.strerror}); choose another --port.")
