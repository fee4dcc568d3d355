"""How each of the shop's processes is started, and known to be ready."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings

from shop.tools.up.children import Probe, Program
from shop.tools.up.forking import READY, ForkServer
from shop.tools.up.linux import ON_LINUX
from shop.tools.up.readiness import answers, says

CELERY = ("-m", "celery", "-A", "shop")
FLOWER_COLUMNS = "--tasks_columns=name,args,state,received,runtime,worker,uuid"  # args: the orders' numbers


@dataclass(frozen=True)
class Programs:
    """All find the same environment; logs and ledgers are kept in the data folder."""

    env: Mapping[str, str] = field(repr=False)  # holds passwords
    data: Path
    forks: ForkServer = field(default_factory=ForkServer)

    def fork_server(self) -> Program:
        """What relay, workers and Flower are forked off, where the system can hand a child over."""
        program = self._program(
            "forkserver", "-m", "shop.tools.up.forkserver", ready=says(READY.decode()), follows_log=False
        )
        return replace(program, before=self.forks.connect, stdin=self.forks.its_end)

    def sandbox(self, name: str, port: int) -> Program:
        """A provider: `payments` or `carrier`."""
        ledger = str(self.data / f"{name}.sqlite3")
        arguments = ("-m", "shop.sandbox", name, "--port", str(port), "--ledger", ledger)
        address = f"http://127.0.0.1:{port}/livez"
        return self._program(name, *arguments, ready=answers(address), follows_log=False)

    def relay(self) -> Program:
        return self._beating(self.forked("relay", "manage.py", "relay", ready=says("relay ready")))

    def webhooks(self) -> Program:
        return self._beating(self.forked("webhooks", "manage.py", "webhooks", ready=says("webhooks ready")))

    def worker(self, service: str, number: int = 1) -> Program:
        """A service's worker, `worker-payments`; of several the second is `worker-payments-2`."""
        name = service if number == 1 else f"{service}-{number}"
        arguments = ("manage.py", "worker", service, "--name", name)
        return self._beating(self.forked(f"worker-{name}", *arguments, ready=says(" ready.")))

    def web(self, port: int) -> Program:
        return self._program(
            "web",
            *("-m", "gunicorn", "shop.asgi:application", "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", "shop.base.serving.worker.Worker", "--workers", "1"),
            *("--worker-connections", "2000"),
            *("--no-control-socket", "--graceful-timeout", "5"),
            *("--logger-class", "shop.base.serving.logger.Logger"),
            ready=answers(f"http://127.0.0.1:{port}/readyz"),
        )

    def flower(self, port: int) -> Program:
        return self.forked(
            "flower",
            *(
                "-m",
                "shop.tools.flower",
                "--address=127.0.0.1",
                f"--port={port}",
                "--read_only",
                FLOWER_COLUMNS,
            ),
            ready=answers(f"http://127.0.0.1:{port}/healthcheck"),
        )

    def metrics(self, port: int) -> Program:
        arguments = ("manage.py", "metrics", "--port", str(port))
        return self.forked("metrics", *arguments, ready=answers(f"http://127.0.0.1:{port}/livez"))

    def forked(self, name: str, *arguments: str, ready: Probe) -> Program:
        program = self._program(name, *arguments, ready=ready)
        return replace(program, forked_by=self.forks) if ON_LINUX else program

    def _beating(self, program: Program) -> Program:
        return replace(program, beats=self.data / "beats" / program.name)

    def _program(self, name: str, *arguments: str, ready: Probe, follows_log: bool = True) -> Program:
        return Program(
            name=name,
            argv=(sys.executable, *arguments),
            env=self.env,
            cwd=settings.BASE_DIR,
            log=self.data / "logs" / f"{name}.log",
            ready=ready,
            follows_log=follows_log,
        )
