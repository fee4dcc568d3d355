"""A customer's server, in a thread of the test: it answers as it is told, and keeps all that it was sent."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from multidict import CIMultiDict
from standardwebhooks import Webhook

from shop.tools.up.ports import free_port

HANG, CLOSE, ENDLESS = "hang", "close", "endless"
LONGEST_HANG = 30.0  # s


@dataclass(frozen=True)
class Received:
    path: str
    headers: CIMultiDict[str]
    body: bytes
    began: float
    data: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", json.loads(self.body))

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def kind(self) -> str:
        return str(self.data["type"])

    def verify(self, secret: str) -> None:
        """Raises if it is not signed with the secret."""
        Webhook(secret).verify(self.body, dict(self.headers))


class Receiver:
    """``answers``: by path, a status, or what it does instead; 204 where nothing is said. ``headers``: sent with it."""

    def __init__(self) -> None:
        self.answers: dict[str, int | str] = {}
        self.headers: dict[str, str] = {}
        self.received: list[Received] = []
        self.most_at_once: dict[str, int] = defaultdict(int)
        self._under_way: dict[str, int] = defaultdict(int)
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def of(self, path: str) -> list[Received]:
        return [message for message in self.received if message.path == path]

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._loop.call_soon_threadsafe(self._loop.call_later, 0.01, self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", self.port).start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body, path = await request.read(), request.path
        if request.method != "POST":
            raise AssertionError(f"It was asked to {request.method}")
        self.received.append(Received(path, CIMultiDict(request.headers), body, self._loop.time()))
        self._under_way[path] += 1
        self.most_at_once[path] = max(self.most_at_once[path], self._under_way[path])
        try:
            return await self._act(request, self.answers.get(path, 204))
        finally:
            self._under_way[path] -= 1

    async def _act(self, request: web.Request, answer: int | str) -> web.StreamResponse:
        if answer == HANG:
            await asyncio.wait_for(self._over.wait(), LONGEST_HANG)
        if answer == CLOSE:
            assert request.transport
            request.transport.close()
        if answer == ENDLESS:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 1024)
        return web.Response(status=answer if isinstance(answer, int) else 204, headers=self.headers)
