"""`/hooks/oncue/<ticket>`: what reached us of a call, told to `oncue doctor`, so that it sees what a proxy has changed on the way.

It is found anywhere in a path, since a proxy may have put something before it. Who has no ticket of this installation is told nothing.
"""

from __future__ import annotations

from oncue import __version__
from oncue.core.probe import Arrival, fingerprint
from oncue.ingest.answers import Hears, Refused, Scope, Send, answer_json, read_body
from oncue.ingest.doors import Doors

MARK = b"/hooks/oncue/"
_MOST_BYTES = 100_000


def is_one(raw_path: bytes) -> bool:
    """Whether a path is asked for that."""
    return MARK in raw_path


async def tell(doors: Doors, scope: Scope, receive: Hears, send: Send) -> int:
    """Answer with an `Arrival`. Raises `Refused`."""
    path: bytes = scope["raw_path"]
    ticket = path.partition(MARK)[2].partition(b"/")[0]
    if not doors.is_ours(ticket.decode("latin-1")):
        raise Refused(404, "Nothing is called here.")
    arrival = Arrival(
        boot=doors.boot,
        version=__version__,
        public_url=doors.public_url,
        method=scope["method"],
        path=path.decode("latin-1"),
        query=scope.get("query_string", b"").decode("latin-1"),
        headers={name.decode("latin-1"): fingerprint(value) for name, value in scope["headers"]},
        body=fingerprint(await read_body(scope, receive, _MOST_BYTES)),
    )
    await answer_json(send, 200, arrival, (b"cache-control", b"no-store"))
    return 200
