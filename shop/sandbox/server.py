"""Serves a provider with aiohttp: one process, one thread, on loopback."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping

from aiohttp import web

from shop.sandbox.web import Answer, Handler, Request, Site

KEEP_ALIVE = 180  # s, longer than clients keep a connection: none finds it closed under its hands
GRACE = 5  # s for what is under way when the provider is told to end


async def serve(routes: Mapping[tuple[str, str], Handler], *, port: int, name: str, host: str) -> None:
    """Until SIGTERM or SIGINT."""

    async def alive(_: Request) -> Answer:
        return Answer(200, {"status": "ok", "sandbox": name})

    site = Site({("GET", "/livez"): alive, **routes})
    server = web.Server(site, access_log=None, keepalive_timeout=KEEP_ALIVE)
    runner = web.ServerRunner(server, shutdown_timeout=GRACE)
    await runner.setup()
    told_to_end = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, told_to_end.set)
    await web.TCPSite(runner, host, port, backlog=1024).start()
    sys.stdout.write(f"{name} sandbox ready on http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    await told_to_end.wait()
    await runner.cleanup()
