"""What every relay does now and then besides relaying."""

from __future__ import annotations

import time
from collections.abc import Callable

from shop.messaging.reach import only_holding_up
from shop.messaging.tasks import service_of

Sweep = Callable[[], object]
_sweeps: list[tuple[float, Sweep]] = []


def sweep(every: float) -> Callable[[Sweep], Sweep]:
    """Have each relay call a function about every so many seconds; it must be safe to run in several at once."""

    def register(function: Sweep) -> Sweep:
        _sweeps.append((every, function))
        return function

    return register


class Sweeper:
    """Calls what is due, in one process."""

    def __init__(self) -> None:
        self._next = {function: time.monotonic() for _, function in _sweeps}

    def sweep(self) -> None:
        now = time.monotonic()
        for every, function in _sweeps:
            if now >= self._next[function]:
                with only_holding_up(service_of(function.__module__)):
                    function()
                self._next[function] = now + every
