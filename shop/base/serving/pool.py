"""The threads in which the web process does what takes time: so many, as long as it lives, and a line before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")

THREADS = 32  # each keeps a connection to each database it has asked
MOST_WAITING = 1_000


class Full(Exception):
    """Too many wait for a thread. Come again later."""


class Pool:
    """A thread is begun only when all others are busy, so a quiet shop has few of them, and few connections."""

    def __init__(self, threads: int = THREADS, most_waiting: int = MOST_WAITING) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._most = threads + most_waiting
        self._taken = 0  # looked at in the event loop's thread only

    async def run(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        """What ``work`` returns, which is called in one of the threads.

        Raises:
            Full: the line is too long; nothing was done.
            Exception: whatever ``work`` raises.
        """
        if self._taken >= self._most:
            raise Full
        self._taken += 1
        future = self._threads.submit(work, *arguments)
        try:
            return await asyncio.wrap_future(future)
        finally:
            self._taken -= 1


pool = Pool()
