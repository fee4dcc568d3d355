"""Processes that an earlier run left behind because it was killed: ended by their own number, if it is still theirs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from shop.tools.up.children import Child
from shop.tools.up.datafolder import JsonFile

PATIENCE = 10.0  # s between the stop signal and SIGKILL


def remember(path: Path, children: Iterable[Child]) -> None:
    """Write down who runs. The time of creation tells a process from a later one with the same number."""
    rows = [
        {
            "name": child.program.name,
            "pid": child.pid,
            "created": child.created,
            "signal": int(child.program.stop_signal),
        }
        for child in children
    ]
    JsonFile(path).write({"children": rows})


def end_leftovers(path: Path) -> int:
    """End what `path` remembers, and what is left of its process groups. How many it were."""
    found: list[psutil.Process] = []
    rows = [row for row in JsonFile(path).read().get("children", []) if isinstance(row, dict)]
    for row in reversed(rows):
        pid, created = int(row["pid"]), float(row["created"])
        for process in _group(pid, created, path.parent):
            found.append(process)
            _send(process, int(row["signal"]) if process.pid == pid else signal.SIGTERM)
    _gone, alive = psutil.wait_procs(found, timeout=PATIENCE)
    for process in alive:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=PATIENCE)
    path.unlink(missing_ok=True)
    return len(found)


def _group(pid: int, created: float, folder: Path) -> Iterator[psutil.Process]:
    """The process itself, and what it started and left in its group."""
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.pid == pid:
                if abs(process.create_time() - created) < 1:
                    yield process
            elif os.getpgid(process.pid) == pid and process.environ().get("SHOP_DATA") == str(folder):
                yield process
        except (psutil.Error, OSError):
            continue


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
