"""Procrastinate: a task queue in PostgreSQL. Five jobs; each defers the next after its own commit."""

from __future__ import annotations

import asyncio
import os

import procrastinate
from procrastinate import PsycopgConnector, SyncPsycopgConnector
from psycopg_pool import AsyncConnectionPool

from benchmarks import steps
from benchmarks.systems.base import READY, Peer, PeerDoor

AT_ONCE = 8  # jobs in each worker


class ProcrastinateDoor(PeerDoor):
    def __init__(self) -> None:
        self._app = procrastinate.App(connector=SyncPsycopgConnector(conninfo=os.environ[steps.URL]))
        self._app.open()

    def submit(self) -> int:
        order = steps.place()
        self._app.configure_task(_name(0)).defer(order=order)
        return order

    def close(self) -> None:
        self._app.close()


class Procrastinate(Peer):
    name = "procrastinate"
    door = ProcrastinateDoor
    workers = 2
    fewest = 500
    template = "rows_and_jobs"

    def prepare(self) -> None:
        super().prepare()
        url = self.servers.make(self.template, template=Peer.template)
        with procrastinate.App(connector=SyncPsycopgConnector(conninfo=url)).open() as app:
            app.schema_manager.apply_schema()


def _name(number: int) -> str:
    return f"step {number}"


async def work() -> None:
    url = os.environ[steps.URL]
    app = procrastinate.App(connector=PsycopgConnector(conninfo=url, min_size=2, max_size=AT_ONCE + 4))
    kept = {"autocommit": True, "prepare_threshold": 0}
    async with AsyncConnectionPool(url, min_size=2, max_size=AT_ONCE, kwargs=kept, open=False) as pool:
        for number in range(len(steps.STEPS)):
            _add_task(app, pool, number)
        async with app.open_async():
            print(READY, flush=True)
            await app.run_worker_async(concurrency=AT_ONCE, fetch_job_polling_interval=0.5)


def _add_task(app: procrastinate.App, pool: AsyncConnectionPool, number: int) -> None:
    @app.task(name=_name(number))
    async def do(order: int) -> None:
        async with pool.connection() as connection:
            await connection.execute(steps.STEPS[number].encode(), {"order": order})
        if number + 1 < len(steps.STEPS):
            await app.configure_task(_name(number + 1)).defer_async(order=order)


if __name__ == "__main__":
    asyncio.run(work())
