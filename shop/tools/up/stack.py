"""The shop's own processes, as they run together on one computer. The tests start them from here too."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings

from shop.tools.up.linux import ON_LINUX
from shop.tools.up.ports import free_port
from shop.tools.up.programs import Programs
from shop.tools.up.servers import Server
from shop.tools.up.supervisor import LONGEST_WAIT, Supervisor

SANDBOXES = {"payments": "PAYMENTS_URL", "carrier": "CARRIER_URL"}


class Stack:
    """Both sandboxes, relay and webhooks, a worker per service; and, when they are given a port, web and Flower, and the
    metrics.

    `env` needs DATABASE_URL and REDIS_URL; what else the processes get is added, and can be read from `.env`.
    `twice`: the services that have two workers. `longest_wait`: seconds until what keeps dying is started again.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        data: Path,
        *,
        servers: Sequence[Server] = (),
        web_port: int | None = None,
        flower_port: int | None = None,
        metrics_port: int | None = None,
        twice: Collection[str] = (),
        longest_wait: float = LONGEST_WAIT,
        say: Callable[[str], None] = print,
    ) -> None:
        self.data = data
        self._ports = {name: free_port() for name in SANDBOXES}
        self._web_port, self._flower_port = web_port, flower_port
        self._metrics_port = metrics_port
        self._twice = twice
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "SHOP_DATA": str(data),
            "PYTHONUNBUFFERED": "1",
            **{SANDBOXES[name]: f"http://127.0.0.1:{port}" for name, port in self._ports.items()},
            **env,
        }
        self._programs = Programs(self.env, data)
        self.supervisor = Supervisor(say=say, pids=data / "pids.json", longest_wait=longest_wait)
        if servers:
            self.supervisor.adopt(*(server.child for server in servers))

    def start(self) -> None:
        """Start all of it, each tier at once; `wait_ready` says when it is there."""
        programs = self._programs
        first = [programs.fork_server()] if ON_LINUX else []
        first += [programs.sandbox(name, port) for name, port in self._ports.items()]
        self.supervisor.start(*first)
        workers = [programs.worker(service) for service in settings.SERVICES]
        workers += [programs.worker(service, 2) for service in self._twice]
        self.supervisor.start(programs.relay(), programs.webhooks(), *workers)
        if self._web_port and self._flower_port:
            self.supervisor.start(programs.web(self._web_port), programs.flower(self._flower_port))
        if self._metrics_port:
            self.supervisor.start(programs.metrics(self._metrics_port))

    def wait_ready(self, within: float = 60.0, *, check: Callable[[], None] = lambda: None) -> None:
        self.supervisor.wait_ready(within, check=check)

    def pids(self) -> dict[str, int]:
        return self.supervisor.pids()

    def kill(self, name: str) -> None:
        """SIGKILL one process by name: `worker-payments`, `relay`, `carrier`, ..."""
        self.supervisor.kill(name)

    def stop(self) -> None:
        self.supervisor.stop()
        self._programs.forks.close()

    def __enter__(self) -> Self:
        """Started, ready, and looked after by a thread: what dies is started again."""
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        self.supervisor.watch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
