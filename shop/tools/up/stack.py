"""The shop's own processes, as they run on one computer. The tests start them from here too."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings

from shop.tools.up.children import Probe, Program, answers, says
from shop.tools.up.servers import Server, free_port
from shop.tools.up.supervisor import Supervisor

FLOWER_COLUMNS = "--tasks_columns=name,args,state,received,runtime,worker,uuid"  # args: the orders' numbers
SANDBOXES = {"payments": "PAYMENTS_URL", "carrier": "CARRIER_URL"}


class Stack:
    """Both sandboxes, the relay, a worker per service; and, when they are given a port, beat, web and Flower.

    `env` needs DATABASE_URL and REDIS_URL; what else the processes get is added, and can be read from `.env`.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        data: Path,
        *,
        servers: Sequence[Server] = (),
        web_port: int | None = None,
        flower_port: int | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.data = data
        self._ports = {name: free_port() for name in SANDBOXES}
        self._web_port, self._flower_port = web_port, flower_port
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "SHOP_DATA": str(data),
            "PYTHONUNBUFFERED": "1",
            **{SANDBOXES[name]: f"http://127.0.0.1:{port}" for name, port in self._ports.items()},
            **env,
        }
        self.supervisor = Supervisor(say=say, pids=data / "pids.json")
        if servers:
            self.supervisor.adopt(*(server.child for server in servers))

    def start(self) -> None:
        """Start all of it, each tier at once; `wait_ready` says when it is there."""
        self.supervisor.start(*(self._sandbox(name, port) for name, port in self._ports.items()))
        self.supervisor.start(self._relay(), *(self._worker(service) for service in settings.SERVICES))
        if self._web_port and self._flower_port:
            self.supervisor.start(self._web(self._web_port), self._beat(), self._flower(self._flower_port))

    def wait_ready(self, within: float = 60.0, *, check: Callable[[], None] = lambda: None) -> None:
        self.supervisor.wait_ready(within, check=check)

    def pids(self) -> dict[str, int]:
        return self.supervisor.pids()

    def kill(self, name: str) -> None:
        """SIGKILL one process by name: `worker-payments`, `relay`, `carrier`, ..."""
        self.supervisor.kill(name)

    def stop(self) -> None:
        self.supervisor.stop()

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

    # --- The programs -----------------------------------------------------------------------------------------

    def _program(self, name: str, *arguments: str, ready: Probe) -> Program:
        return Program(
            name=name,
            argv=(sys.executable, *arguments),
            env=self.env,
            cwd=settings.BASE_DIR,
            log=self.data / "logs" / f"{name}.log",
            ready=ready,
        )

    def _sandbox(self, name: str, port: int) -> Program:
        ledger = str(self.data / f"{name}.sqlite3")
        url = f"http://127.0.0.1:{port}/livez"
        arguments = ("-m", "shop.sandbox", name, "--port", str(port), "--ledger", ledger)
        return self._program(name, *arguments, ready=answers(url))

    def _relay(self) -> Program:
        return self._program("relay", "manage.py", "relay", ready=says("relay ready"))

    def _worker(self, service: str) -> Program:
        return self._program(
            f"worker-{service}",
            *(
                "-m",
                "celery",
                "-A",
                "shop",
                "worker",
                "-Q",
                service,
                "-n",
                f"{service}@%h",
                "-P",
                "solo",
                "-E",
            ),
            *("--without-gossip", "--without-mingle", "-l", "INFO"),
            ready=says(" ready."),
        )

    def _beat(self) -> Program:
        schedule = str(self.data / "beat-schedule")
        arguments = ("-m", "celery", "-A", "shop", "beat", "-s", schedule, "--pidfile=", "-l", "INFO")
        return self._program("beat", *arguments, ready=says("beat: Starting"))

    def _web(self, port: int) -> Program:
        return self._program(
            "web",
            *("-m", "gunicorn", "shop.wsgi:application", "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", "gthread", "--workers", "1", "--threads", "8"),
            *("--no-control-socket", "--graceful-timeout", "5"),
            ready=answers(f"http://127.0.0.1:{port}/readyz"),
        )

    def _flower(self, port: int) -> Program:
        return self._program(
            "flower",
            *(
                "-m",
                "celery",
                "-A",
                "shop",
                "flower",
                "--address=127.0.0.1",
                f"--port={port}",
                "--read_only",
                FLOWER_COLUMNS,
            ),
            ready=answers(f"http://127.0.0.1:{port}/healthcheck"),
        )
