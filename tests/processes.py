"""Small real processes for tests, and whether a process lives."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from shop.tools.up.children import Program

SLEEPER = "import time; print('here'); time.sleep(600)"
on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux ends the children of a killed parent"
)


def program(name: str, folder: Path, code: str, **more: object) -> Program:
    argv = (sys.executable, "-I", "-S", "-u", "-c", code)
    return Program(name=name, argv=argv, log=folder / f"{name}.log", env=dict(os.environ), **more)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(true: Callable[[], object], within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())
