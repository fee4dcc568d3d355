"""A process that places a system's orders. What is called here runs in that process; the benchmark only waits."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType
from typing import Any, Protocol, Self

import psutil

PATIENCE = 30.0  # s for a lone order


class Door(Protocol):
    """How a client sees a system. Made in the client's own process, once."""

    def place(self, orders: int) -> None:
        """Place this many, as fast as one client can."""
        ...

    def last(self) -> int:
        """The number of the newest order."""
        ...

    def ended(self, after: int) -> tuple[int, float]:
        """How many orders newer than ``after`` are completed, and when the last of them was (s since 1970)."""
        ...

    def lone(self, patience: float) -> float:
        """Place one and wait for its end: the seconds from placed to ended."""
        ...

    def close(self) -> None:
        """End its threads, that the process may end."""
        ...


class Client:
    """One process with a door of its own, found by the environment ``env``."""

    def __init__(self, make: Callable[[], Door], env: Mapping[str, str]) -> None:
        self._pool = ProcessPoolExecutor(
            1,
            multiprocessing.get_context("spawn"),
            initializer=_open,
            initargs=(pickle.dumps(make), dict(env)),
        )
        self.pid = int(self._pool.submit(os.getpid).result())

    def place(self, orders: int) -> Future[float]:
        """When the first was placed, once all are."""
        return self._pool.submit(_place, orders)

    def last(self) -> int:
        return self._pool.submit(_last).result()

    def ended(self, after: int) -> tuple[int, float]:
        return self._pool.submit(_ended, after).result()

    def lone(self, orders: int, pause: float) -> list[float]:
        """Seconds from placed to ended of each, with ``pause`` seconds between them."""
        return self._pool.submit(_lone, orders, pause).result()

    def run(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Something that only this system's client can do."""
        return self._pool.submit(function, *arguments).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.submit(_close)
        self._pool.shutdown(wait=False, cancel_futures=False)
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            try:
                process.wait(PATIENCE)
            except psutil.TimeoutExpired:
                process.kill()


_doors: list[Door] = []


def _open(make: bytes, env: Mapping[str, str]) -> None:
    """The system's module is imported after its environment is there."""
    os.environ.update(env)
    _doors.append(pickle.loads(make)())  # noqa: S301 (we made it)


def _close() -> None:
    _doors[0].close()


def _place(orders: int) -> float:
    began = time.time()
    _doors[0].place(orders)
    return began


def _last() -> int:
    return _doors[0].last()


def _ended(after: int) -> tuple[int, float]:
    return _doors[0].ended(after)


def _lone(orders: int, pause: float) -> list[float]:
    times = []
    for _ in range(orders):
        times.append(_doors[0].lone(PATIENCE))
        time.sleep(pause)
    return times
