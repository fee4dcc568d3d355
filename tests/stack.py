"""The whole shop as real processes, for tests that claim something about delivery."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shop.sandbox.testing import RunningProvider, running_provider
from shop.tools.up.children import Program, says
from shop.tools.up.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("orders", "inventory", "payments", "shipping", "notifications")
TWICE = ("payments", "shipping")  # two workers each, so that two deliveries of one order can meet


class Stack:
    """Relay, one worker per service and both providers, on the databases and broker the environment names."""

    def __init__(
        self,
        supervisor: Supervisor,
        folder: Path,
        env: Mapping[str, str],
        providers: Mapping[str, RunningProvider],
    ) -> None:
        self.supervisor = supervisor
        self.folder = folder
        self.env = env
        self.size = len(supervisor.pids())
        self.providers = providers

    def kill(self, name: str) -> None:
        """SIGKILL one process; the supervisor starts it again."""
        self.supervisor.kill(name)

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """Stop a service's workers where they stand; they go on afterwards."""
        names = [name for name in self.supervisor.pids() if name.partition("-")[0] == service]
        for name in names:
            self.supervisor.kill(name, signal.SIGSTOP)
        try:
            yield
        finally:
            for name in names:
                self.supervisor.kill(name, signal.SIGCONT)

    def arm(self, moment: str) -> Path:
        """Have the next worker that comes to this moment die (see tests/crashing.py). The file is gone when it did."""
        armed = self.folder / "crash"
        armed.write_text(moment)
        return armed

    def log(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")


def worker(name: str, logs: Path, env: Mapping[str, str]) -> Program:
    service = name.partition("-")[0]
    argv = (sys.executable, "-m", "celery", "-A", "tests.crashing", "worker", "-Q", service, "-P", "solo")
    return Program(
        name=name,
        argv=(*argv, "-n", f"{name}@%h", "-E", "--without-gossip", "--without-mingle", "-l", "INFO"),
        log=logs / f"{name}.log",
        env=env,
        cwd=ROOT,
        ready=says("ready."),
    )


def relay(name: str, logs: Path, env: Mapping[str, str]) -> Program:
    return Program(
        name=name,
        argv=(sys.executable, "-u", "-m", "tests.crashing_relay"),
        log=logs / f"{name}.log",
        env=env,
        cwd=ROOT,
        ready=says("relay ready"),
    )


@contextmanager
def running_stack(folder: Path, env: Mapping[str, str]) -> Iterator[Stack]:
    """Start everything and wait until it is ready."""
    logs = folder / "logs"
    with (
        running_provider("payments", folder / "payments.sqlite3") as payments,
        running_provider("carrier", folder / "carrier.sqlite3") as carrier,
        Supervisor(say=lambda line: None, longest_wait=0.5) as supervisor,
    ):
        own = {"PAYMENTS_URL": payments.url, "CARRIER_URL": carrier.url, "CRASH_FILE": str(folder / "crash")}
        full = {**os.environ, **env, **own}
        names = [*SERVICES, *(f"{service}-2" for service in TWICE)]
        supervisor.start(relay("relay", logs, full), *(worker(name, logs, full) for name in names))
        supervisor.wait_ready(60)
        supervisor.watch()
        yield Stack(supervisor, folder, full, {"payments": payments, "carrier": carrier})
