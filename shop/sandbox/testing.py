"""Runs real provider processes for tests."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
STOP_SECONDS = 10.0


@dataclass
class RunningProvider:
    """A provider on its port. It may be killed and started again: the port and the ledger stay."""

    name: str
    ledger: Path
    slow: float
    down: float
    port: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "shop.sandbox", self.name]
        command += ["--port", str(self.port), "--ledger", str(self.ledger)]
        timing = {"SANDBOX_SLOW_SECONDS": str(self.slow), "SANDBOX_DOWN_SECONDS": str(self.down)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | timing, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the {self.name} sandbox did not start on port {self.port}")
            time.sleep(0.02)

    def stop(self, signum: int = signal.SIGINT) -> int:
        """End it by a signal, SIGKILL for a crash; the answer is its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def crash_and_restart(self) -> None:
        self.stop(signal.SIGKILL)
        self.start()


@contextmanager
def running_provider(
    name: str, ledger: Path, *, slow: float = 0.5, down: float = 0.5
) -> Iterator[RunningProvider]:
    """``name``: payments or carrier. ``slow``, ``down``: the seconds its test cards and addresses take."""
    provider = RunningProvider(name, ledger, slow, down)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
