"""Restate: a server that keeps a journal of each handler's steps. Its server comes as an npm package (BUSL)."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config
from psycopg_pool import AsyncConnectionPool

from benchmarks import steps
from benchmarks.systems.base import READY, Peer, PeerDoor, Unavailable, listens
from shop.tools.up.children import Program
from shop.tools.up.ports import free_port

INGRESS, ADMIN, SERVICE = (f"BENCHMARK_RESTATE_{name}" for name in ("INGRESS", "ADMIN", "SERVICE"))  # ports
BINARY = "node_modules/@restatedev/restate-server-*/bin/restate-server"
CONNECTIONS = 20
THREADS = 8  # of a client, since each call waits for its answer
ATTEMPTS = 20


class RestateDoor(PeerDoor):
    def __init__(self) -> None:
        self._kept = threading.local()

    def place(self, orders: int) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(lambda _: self.submit(), range(orders)):
                pass

    def submit(self) -> int:
        order = steps.place()
        connection: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", int(os.environ[INGRESS]), timeout=30)
            self._kept.connection = connection
        connection.request("POST", "/saga/fulfil/send", str(order), {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status not in (200, 202):
            raise RuntimeError(f"Restate answered {answer.status}.")
        return order


class Restate(Peer):
    name = "restate"
    door = RestateDoor

    def prepare(self) -> None:
        if not _binary():
            raise Unavailable(f"its server is not at {sys.prefix}/{BINARY}: npm could not install it")
        super().prepare()

    def programs(self) -> list[Program]:
        ingress, admin, service, node = (str(free_port()) for _ in range(4))
        self._started = getattr(self, "_started", 0) + 1
        self.env |= {
            INGRESS: ingress,
            ADMIN: admin,
            SERVICE: service,
            "RESTATE_BASE_DIR": str(self.servers.folder / f"restate-{self._started}"),
            "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
            "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
            "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
            "RESTATE_LOG_FILTER": "error",
            "DO_NOT_TRACK": "1",
        }
        server = self.program("server", str(_binary()), ready=listens(int(admin)), python=False)
        return [server, *super().programs()]


def _binary() -> Path | None:
    return next(Path(sys.prefix).glob(BINARY), None)


async def work() -> None:
    saga = restate.Service("saga")
    kept = {"autocommit": True, "prepare_threshold": 0}
    pool = AsyncConnectionPool(os.environ[steps.URL], max_size=CONNECTIONS, kwargs=kept, open=False)

    async def step(number: int, order: int) -> None:
        async with pool.connection() as connection:
            await connection.execute(steps.STEPS[number].encode(), {"order": order})

    @saga.handler()
    async def fulfil(context: restate.Context, order: int) -> None:
        for number in range(len(steps.STEPS)):
            await context.run_typed(f"step {number}", step, number=number, order=order)

    config = Config()
    config.bind, config.accesslog = [f"127.0.0.1:{os.environ[SERVICE]}"], None
    async with pool:
        server = asyncio.create_task(serve(restate.app([saga]), config))
        await asyncio.to_thread(_register)
        print(READY, flush=True)
        await server


def _register() -> None:
    """Tell the server where the handlers are; it asks there at once, so it is told until it is answered."""
    body = json.dumps({"uri": f"http://127.0.0.1:{os.environ[SERVICE]}", "force": True}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{os.environ[ADMIN]}/deployments", body, {"content-type": "application/json"}
    )
    for attempt in range(ATTEMPTS):
        try:
            urllib.request.urlopen(request, timeout=20).close()  # noqa: S310
            return
        except OSError:
            if attempt + 1 == ATTEMPTS:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(work())
