"""The shop's processes on one database, for making a dump and for upgrading one. All use of the stack is here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shop.tools.up.stack import Stack
from tests.upgrade.position import SERVICES

ROOT = Path(__file__).resolve().parents[2]
RELAY = "relay"
UNDERWAY = 0.5  # s in which a process ends what it is about


class Running:
    """The shop while it runs."""

    def __init__(self, stack: Stack) -> None:
        self._supervisor = stack.supervisor
        self.env = stack.env

    def halt(self, *names: str) -> None:
        """Stop workers (named by their services) or the relay between two messages."""
        time.sleep(UNDERWAY)
        for name in names:
            self._supervisor.kill(_process(name), signal.SIGSTOP)

    def go_on(self, *names: str) -> None:
        for name in names:
            self._supervisor.kill(_process(name), signal.SIGCONT)

    def crash(self) -> None:
        """SIGKILL relay and workers, halted or not."""
        for name in (RELAY, *SERVICES):
            self._supervisor.kill(_process(name))


def _process(name: str) -> str:
    return name if name == RELAY else f"worker-{name}"


@contextmanager
def running(env: Mapping[str, str], folder: Path) -> Iterator[Running]:
    """Relay, a worker per service, and both providers with the ledgers in the folder, until the end of the block."""
    with Stack(env, folder, say=lambda line: None) as stack:
        yield Running(stack)


def one_database(url: str) -> dict[str, str]:
    """The variables that put all apps into one database, whatever else the environment says."""
    return {"DATABASE_URL": url, **{f"{service.upper()}_DATABASE_URL": "" for service in SERVICES}}


def manage(env: Mapping[str, str], *arguments: str) -> str:
    """Run a management command to its end; what it printed."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **env}, text=True, capture_output=True, timeout=60
    )
    assert done.returncode == 0, f"manage.py {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout
