"""What every system offers to be measured, and what the systems beside the shop have in common."""

from __future__ import annotations

import os
import socket
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from benchmarks import steps
from benchmarks.client import Door
from benchmarks.servers import Servers
from shop.tools.up.children import Child, Probe, Program
from shop.tools.up.readiness import says

ROOT = Path(__file__).resolve().parents[2]
READY = "benchmark worker ready"
SAYS_SO = says(READY)
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


def listens(port: int) -> Probe:
    """Ready when somebody takes connections there."""

    def probe(child: Child) -> bool:
        with socket.socket() as attempt:
            attempt.settimeout(1)
            return attempt.connect_ex(("127.0.0.1", port)) == 0

    return probe


class Peer(System):
    """A system that does the saga of `steps.py` on the tables of `schema.sql`, with 50,000 old orders in them."""

    workers = 1  # processes its module is started in
    template = "rows"

    def prepare(self) -> None:
        if not self.servers.has(Peer.template):
            url = self.servers.make(Peer.template)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute((ROOT / "benchmarks" / "schema.sql").read_bytes())
                connection.execute("VACUUM ANALYZE")

    def start(self) -> None:
        url = self.servers.make(self.database, template=self.template)
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
        module = type(self).__module__
        return [self.program(f"worker-{number}", "-m", module) for number in range(self.workers)]

    def program(self, name: str, *arguments: str, ready: Probe = SAYS_SO, python: bool = True) -> Program:
        """A process of this system; without ``python`` the first argument is the program."""
        return Program(
            name=f"{self.name}-{name}",
            argv=(sys.executable, *arguments) if python else arguments,
            env={**os.environ, **self.env, "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            log=self.servers.folder / "logs" / f"{self.name}-{name}.log",
            ready=ready,
        )

    def groups(self) -> Mapping[str, list[int]]:
        """What is not called a worker is a server of the system's own."""
        alive = [child for child in self.children if child.alive]
        return {
            "workers": [child.pid for child in alive if "worker" in child.program.name],
            "server": [child.pid for child in alive if "worker" not in child.program.name],
        }

    def stop(self) -> None:
        for child in reversed(self.children):
            child.stop()
        self.servers.drop(self.database)


class PeerDoor(ABC):
    """Places an order, hands it to the system, and reads its end from the table."""

    @abstractmethod
    def submit(self) -> int:
        """Place one order; its number."""

    def close(self) -> None:
        steps.connection().close()

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
