"""The ear: events from apps and calls from providers, over bare ASGI. Django is never on this path."""

from __future__ import annotations

import logging
import re

from oncue.core.adaptor import OWN_PREFIXES
from oncue.ingest import arrivals, sdk, segment
from oncue.ingest.answers import App, Gone, Receive, Refused, Scope, Send, answer, answer_json, answer_refused, header
from oncue.ingest.callbacks import Callbacks
from oncue.ingest.counts import Counts
from oncue.ingest.doors import Doors
from oncue.ingest.hearing import Hearing, Room
from oncue.ingest.limits import Limits
from oncue.ingest.native import Native
from oncue.ingest.segment import Segment
from oncue.ingest.swrve_door import Swrve

__all__ = ["Doors", "build"]

log = logging.getLogger("oncue.ingest")

_ROUTES = {b"/v1/events": "events", b"/healthz": "healthz", b"/readyz": "readyz", b"/metrics": "metrics"}
_SETTINGS = re.compile(r"/v1/projects/([^/]+)/settings")
_BROKEN = "oncue failed to handle this because of a fault of its own, which is in its log."


def build(
    doors: Doors,
    *,
    reserved: tuple[str, ...] = OWN_PREFIXES,
    origins: tuple[str, ...] = ("*",),
    pages: frozenset[str] = frozenset(),
    fallback: App | None = None,
) -> App:
    """The ASGI application. Paths that are not the ear's go to `fallback`, whose first segments are `pages`. Pages of `origins` may send
    with the SDKs."""
    counts, limits, room = Counts(), Limits(), Room()
    native = Native(doors, reserved, counts, limits)
    callbacks = Callbacks(doors, counts)
    intake = sdk.Intake(doors, counts, limits)
    of_segment, of_swrve = Segment(intake, reserved), Swrve(doors, intake, reserved, pages | {"v1", "hooks"})

    async def serve(route: str, scope: Scope, receive: Hearing, send: Send) -> int:
        if route == "events":
            return await native.events(scope, receive, send)
        if route == "arrivals":
            return await arrivals.tell(doors, scope, receive, send)
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

    async def serve_sdk(route: str, scope: Scope, receive: Hearing, send: Send) -> int:
        path = scope["path"]
        if scope["method"] == "OPTIONS":
            await answer(send, 204, b"", *sdk.PREFLIGHT)
            return 204
        if route == "swrve":
            return await of_swrve.hear(of_swrve.route(path), scope, receive, send)
        if asked := _SETTINGS.fullmatch(path):
            base = doors.public_url or f"{scope.get('scheme', 'http')}://{header(scope, b'host').decode('latin-1')}"
            return await of_segment.settings(asked[1], base, send)
        return await of_segment.hear(segment.ROUTES[path], scope, receive, send)

    def sdk_route(path: str) -> str:
        if path in segment.ROUTES or _SETTINGS.fullmatch(path):
            return "segment"
        return "swrve" if of_swrve.route(path) else ""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # As it came: a proxy that keeps `/metrics` to itself may not know `/%6detrics`.
        route = _ROUTES.get(scope["raw_path"])
        if route is None and arrivals.is_one(scope["raw_path"]):
            route = "arrivals"
        if route is None and callbacks.path(scope["raw_path"]) is not None:
            route = "hooks"
        handler = serve
        if route is None and (route := sdk_route(scope["path"])):
            handler, send = serve_sdk, sdk.allowing(origins, scope, send)
        if not route:
            await _elsewhere(fallback, scope, receive, send)
            return
        is_sdk, hearing = handler is serve_sdk, Hearing(room, receive)
        try:
            status = await handler(route, scope, hearing, send)
        except Refused as refused:
            status = refused.status
            await answer_refused(send, refused, is_sdk=is_sdk)
        except Gone:
            status = 499
        except Exception:
            log.exception("a request to %s failed because of a fault in oncue", scope["path"])
            status = 500
            await answer_refused(send, Refused(500, _BROKEN), is_sdk=is_sdk)
        finally:
            hearing.leave()
        counts.requests[route, status] += 1

    return app


async def _elsewhere(fallback: App | None, scope: Scope, receive: Receive, send: Send) -> None:
    if fallback is None:
        await answer_json(send, 404, {"error": "There is nothing here. Events go to POST /v1/events."})
    else:
        await fallback(scope, receive, send)
