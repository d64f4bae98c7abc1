"""A proxy in front of oncue, that can be told to be at fault in the ways that proxies are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

Handler = Callable[["Proxy", web.Request], Awaitable[web.StreamResponse]]

_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding"})


class Proxy:
    """On a thread of its own. `target` is where it passes calls on to; `fault` is how it handles them instead of well."""

    def __init__(self) -> None:
        self.target = ""
        self.fault: Handler | None = None
        self.url = ""

    async def pass_on(
        self,
        request: web.Request,
        *,
        method: str = "",
        path: str | None = None,
        headers: Callable[[CIMultiDict[str]], None] = lambda headers: None,
        body: Callable[[bytes], bytes] = lambda body: body,
    ) -> web.StreamResponse:
        """Pass a call on; what is given is how it is changed on the way."""
        given = CIMultiDict((name, value) for name, value in request.headers.items() if name.lower() not in _HOP)
        headers(given)
        place = URL(self.target + (request.raw_path if path is None else path), encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method or request.method, place, headers=given, data=body(await request.read()), allow_redirects=False
            ) as answer,
        ):
            kind = answer.headers.get("Content-Type", "text/plain")
            return web.Response(status=answer.status, body=await answer.read(), headers={"Content-Type": kind})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        return await (self.fault(self, request) if self.fault else self.pass_on(request))


@contextmanager
def proxying() -> Iterator[Proxy]:
    """A proxy that passes on what comes, until told otherwise."""
    proxy, ready, loop = Proxy(), threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", proxy.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await over.wait()
        await runner.cleanup()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
