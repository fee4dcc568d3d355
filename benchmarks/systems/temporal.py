"""Temporal, with its development server on SQLite: a workflow of five activities."""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from benchmarks import steps
from benchmarks.systems.base import READY, Peer, PeerDoor, Unavailable, listens
from shop.tools.up.children import Program
from shop.tools.up.ports import free_port

ADDRESS = "BENCHMARK_TEMPORAL"
QUEUE = "orders"
THREADS = 8
AT_ONCE = 16
POLLERS = 4
SERVER = Path(sys.executable).parent / "temporal"


@activity.defn
def step(number: int, order: int) -> None:
    steps.step(number, order)


@workflow.defn
class Saga:
    @workflow.run
    async def run(self, order: int) -> None:
        for number in range(len(steps.STEPS)):
            await workflow.execute_activity(
                step, args=[number, order], start_to_close_timeout=timedelta(seconds=30)
            )


class TemporalDoor(PeerDoor):
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = self._loop.run_until_complete(Client.connect(os.environ[ADDRESS]))

    def submit(self) -> int:
        order = steps.place()
        self._loop.run_until_complete(self._start(order))
        return order

    def place(self, orders: int) -> None:
        self._loop.run_until_complete(self._start_all(orders))

    async def _start_all(self, orders: int) -> None:
        free = asyncio.Semaphore(2 * AT_ONCE)

        async def start_one() -> None:
            async with free:
                await self._start(steps.place())

        await asyncio.gather(*(start_one() for _ in range(orders)))

    async def _start(self, order: int) -> None:
        await self._client.start_workflow(Saga.run, order, id=f"{order}-{uuid4().hex}", task_queue=QUEUE)


class Temporal(Peer):
    name = "temporal"
    door = TemporalDoor
    fewest = 150

    def prepare(self) -> None:
        if not SERVER.exists():
            raise Unavailable(f"its development server is not at {SERVER}")
        super().prepare()

    def programs(self) -> list[Program]:
        port, file = free_port(), self.servers.folder / "temporal.db"
        for old in file.parent.glob(f"{file.name}*"):
            old.unlink()
        self.env[ADDRESS] = f"127.0.0.1:{port}"
        command = (
            *(str(SERVER), "server", "start-dev", "--headless", "--log-level", "error"),
            *("--ip", "127.0.0.1", "--port", str(port), "--db-filename", str(file)),
        )
        return [self.program("server", *command, ready=listens(port), python=False), *super().programs()]


async def work() -> None:
    client = await Client.connect(os.environ[ADDRESS])
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Saga],
        activities=[step],
        activity_executor=ThreadPoolExecutor(THREADS),
        max_concurrent_activities=AT_ONCE,
        max_concurrent_workflow_tasks=AT_ONCE,
        max_concurrent_workflow_task_polls=POLLERS,
        max_concurrent_activity_task_polls=POLLERS,
        max_cached_workflows=3000,  # all that are under way
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    print(READY, flush=True)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(work())
