"""What every system offers to be measured, and what the systems beside the shop have in common."""

from __future__ import annotations

import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from benchmarks import steps
from benchmarks.client import Door
from benchmarks.servers import Servers
from shop.tools.up.children import Child, Program
from shop.tools.up.readiness import says

ROOT = Path(__file__).resolve().parents[2]
READY = "benchmark worker ready"
READY_WITHIN = 60.0  # s
POLL = 0.01  # s, how often a lone order is looked at; its times are in the database


class Unavailable(Exception):
    """This system can't run here; its text says why, and the result does."""


class System(ABC):
    """Made once, started afresh for every repetition, on a fresh database."""

    name: str
    door: Callable[[], Door]
    clients = 1  # processes that place orders
    fewest = 1000  # orders in a measured run

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.env: dict[str, str] = {}  # what its processes and clients find in their environment

    @abstractmethod
    def prepare(self) -> None:
        """What is done once for all repetitions. Raises Unavailable."""

    @abstractmethod
    def start(self) -> None:
        """Until it takes orders, on a fresh database."""

    @abstractmethod
    def groups(self) -> Mapping[str, list[int]]:
        """Its processes, by what they do."""

    @abstractmethod
    def stop(self) -> None: ...

    @property
    def database(self) -> str:
        return f"run_{self.name}"


class Peer(System):
    """A system that does the saga of `steps.py` on the tables of `schema.sql`, with 50,000 old orders in them."""

    workers = 1  # processes `worker()` is started in

    def prepare(self) -> None:
        if not self.servers.has("rows"):
            url = self.servers.make("rows")
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute((ROOT / "benchmarks" / "schema.sql").read_bytes())
                connection.execute("VACUUM ANALYZE")

    def start(self) -> None:
        url = self.servers.make(self.database, template="rows")
        self.env = {steps.URL: url, "REDIS_URL": self.servers.redis.url}
        self.servers.quiet()
        self.children = []
        for program in self.programs():
            child = Child(program)
            self.children.append(child)
            child.start()
            if not child.wait_ready(READY_WITHIN):
                raise RuntimeError(f"{program.name} did not get ready:\n{child.output()[-2000:]}")

    def programs(self) -> list[Program]:
        """Its processes beside the clients, in the order they need each other."""
        return [self.program(f"worker-{number}", *self.worker()) for number in range(self.workers)]

    def worker(self) -> tuple[str, ...]:
        """The arguments that start a worker in Python."""
        return ("-m", type(self).__module__)

    def program(self, name: str, *arguments: str, ready: str = READY) -> Program:
        """``ready``: what it writes when it is."""
        return Program(
            name=f"{self.name}-{name}",
            argv=(sys.executable, *arguments),
            env={**os.environ, **self.env, "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            log=self.servers.folder / "logs" / f"{self.name}-{name}.log",
            ready=says(ready),
        )

    def groups(self) -> Mapping[str, list[int]]:
        return {"workers": [child.pid for child in self.children if child.alive]}

    def stop(self) -> None:
        for child in reversed(self.children):
            child.stop()
        self.servers.drop(self.database)


class PeerDoor(ABC):
    """Places an order, hands it to the system, and reads its end from the table."""

    @abstractmethod
    def submit(self) -> int:
        """Place one order; its number."""

    def place(self, orders: int) -> None:
        for _ in range(orders):
            self.submit()

    def last(self) -> int:
        return int(steps.ask("SELECT coalesce(max(id), 0) FROM orders")[0])

    def ended(self, after: int) -> tuple[int, float]:
        count, last = steps.ask(steps.ENDED, after)
        return int(count), float(last)

    def lone(self, patience: float) -> float:
        began = time.time()
        order = self.submit()
        while not (found := self.ended(order - 1))[0]:
            if time.time() - began > patience:
                raise TimeoutError(f"Order {order} has not ended after {patience:g} s.")
            time.sleep(POLL)
        return found[1] - began
