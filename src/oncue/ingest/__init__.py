"""The ear: events from apps and calls from providers, over bare ASGI. Django is never on this path."""

from __future__ import annotations

import logging

from oncue.core.adaptor import OWN_PREFIXES
from oncue.ingest.answers import App, Gone, Receive, Refused, Scope, Send, answer, answer_json, answer_refused
from oncue.ingest.callbacks import Callbacks
from oncue.ingest.counts import Counts
from oncue.ingest.doors import Doors
from oncue.ingest.native import Native

__all__ = ["Doors", "build"]

log = logging.getLogger("oncue.ingest")


def build(doors: Doors, *, reserved: tuple[str, ...] = OWN_PREFIXES, fallback: App | None = None) -> App:
    """The ASGI application. Paths that are not the ear's go to `fallback`."""
    counts = Counts()
    native = Native(doors, reserved, counts)
    callbacks = Callbacks(doors, counts)

    async def serve(route: str, scope: Scope, receive: Receive, send: Send) -> int:
        if route == "events":
            return await native.events(scope, receive, send)
        if route == "hooks":
            path = callbacks.path(scope["raw_path"])
            assert path is not None
            return await callbacks.hear(path, scope, receive, send)
        if route == "healthz":
            await answer(send, 200, b"ok\n", (b"content-type", b"text/plain"))
            return 200
        if route == "readyz":
            problem = await doors.ready()
            await answer_json(send, 503 if problem else 200, {"ready": not problem, "problem": problem})
            return 503 if problem else 200
        text = counts.text() + doors.metrics()
        await answer(send, 200, text.encode(), (b"content-type", b"text/plain; version=0.0.4"))
        return 200

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        route = _ROUTES.get(scope["path"])
        if route is None and callbacks.path(scope["raw_path"]) is not None:
            route = "hooks"
        if route is None:
            await _elsewhere(fallback, scope, receive, send)
            return
        try:
            status = await serve(route, scope, receive, send)
        except Refused as refused:
            status = refused.status
            await answer_refused(send, refused)
        except Gone:
            status = 499
        except Exception:
            log.exception("a request to %s failed because of a fault in oncue", scope["path"])
            status = 500
            await answer_json(
                send, 500, {"error": "oncue failed to handle this because of a fault of its own, which is in its log."}
            )
        counts.requests[route, status] += 1

    return app


_ROUTES = {"/v1/events": "events", "/healthz": "healthz", "/readyz": "readyz", "/metrics": "metrics"}


async def _elsewhere(fallback: App | None, scope: Scope, receive: Receive, send: Send) -> None:
    if fallback is None:
        await answer_json(send, 404, {"error": "There is nothing here. Events go to POST /v1/events."})
    else:
        await fallback(scope, receive, send)
