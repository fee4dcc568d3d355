"""The whole shop as real processes, for tests that claim something about delivery."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shop.sandbox.testing import RunningProvider, running_provider
from shop.up.children import Program, says
from shop.up.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("orders", "inventory", "payments", "shipping", "notifications")


class Stack:
    """Relay, one worker per service and both providers, on the databases and broker the environment names."""

    def __init__(self, supervisor: Supervisor, logs: Path, providers: Mapping[str, RunningProvider]) -> None:
        self.supervisor = supervisor
        self.logs = logs
        self.providers = providers

    def kill(self, name: str) -> None:
        """SIGKILL one process; the supervisor starts it again."""
        self.supervisor.kill(name)

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text(errors="replace")


def worker(service: str, logs: Path, env: Mapping[str, str], app: str = "shop") -> Program:
    argv = [sys.executable, "-m", "celery", "-A", app, "worker", "-Q", service, "-n", f"{service}@%h", "-P", "solo"]
    return Program(
        name=service,
        argv=(*argv, "--without-gossip", "--without-mingle", "-l", "INFO"),
        log=logs / f"{service}.log",
        env=env,
        cwd=ROOT,
        ready=says("ready."),
    )


def relay(logs: Path, env: Mapping[str, str]) -> Program:
    return Program(
        name="relay",
        argv=(sys.executable, "manage.py", "relay"),
        log=logs / "relay.log",
        env={**env, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        ready=says("relay ready"),
    )


@contextmanager
def running_stack(folder: Path, env: Mapping[str, str], crashing: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Start everything and wait until it is ready. ``crashing``: per service, where its worker dies (tests/crashing.py)."""
    logs = folder / "logs"
    with (
        running_provider("payments", folder / "payments.sqlite3") as payments,
        running_provider("carrier", folder / "carrier.sqlite3") as carrier,
        Supervisor(say=lambda line: None) as supervisor,
    ):
        full = {**os.environ, **env, "PAYMENTS_URL": payments.url, "CARRIER_URL": carrier.url}
        programs = [relay(logs, full)]
        for service in SERVICES:
            if crashing and service in crashing:
                crash = {"CRASH": crashing[service], "CRASH_MARK": str(folder / f"{service}.crashed")}
                programs.append(worker(service, logs, full | crash, app="tests.crashing"))
            else:
                programs.append(worker(service, logs, full))
        supervisor.start(*programs)
        supervisor.wait_ready(60)
        supervisor.watch()
        yield Stack(supervisor, logs, {"payments": payments, "carrier": carrier})
