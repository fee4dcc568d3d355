"""The threads in which the web process does what takes time: so many, as long as it lives, and a line before them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")

THREADS = 32  # each keeps a connection to each database it has asked
MOST_WAITING = 1_000


class Full(Exception):
    """Too many wait for a thread. Come again later."""


class Pool:
    """A thread is begun only when all others are busy, so a quiet shop has few of them, and few connections.

    Who waits, waits in the line of their address, and each line moves on by one in turn: who asks for much at
    once waits for themselves. All of it is looked at in the event loop's thread only.
    """

    def __init__(self, threads: int = THREADS, most_waiting: int = MOST_WAITING) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._idle = threads
        self._most = threads + most_waiting
        self._taken = 0
        self._lines: dict[Hashable, deque[asyncio.Future[None]]] = {}

    async def run(self, work: Callable[..., Answer], *arguments: object, whose: Hashable = None) -> Answer:
        """What ``work`` returns, which is called in one of the threads.

        Raises:
            Full: all lines together are too long; nothing was done.
            Exception: whatever ``work`` raises.
        """
        if self._taken >= self._most:
            raise Full
        self._taken += 1
        try:
            if self._idle:
                self._idle -= 1
            else:
                await self._turn_of(whose)
            try:
                return await asyncio.wrap_future(self._threads.submit(work, *arguments))
            finally:
                self._let_in_next()
        finally:
            self._taken -= 1

    async def _turn_of(self, whose: Hashable) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._lines.setdefault(whose, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had just come
                self._let_in_next()
            raise

    def _let_in_next(self) -> None:
        while self._lines:
            whose = next(iter(self._lines))
            line = self._lines.pop(whose)
            turn = line.popleft()
            if line:
                self._lines[whose] = line  # behind all others
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._idle += 1


pool = Pool()
