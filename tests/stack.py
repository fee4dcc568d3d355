"""The running shop of the tests: `up`'s own processes, any of which a test can end, halt, or catch at a point."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shop.tools.up.stack import Stack
from tests.points import Armed

TWICE = ("payments", "shipping")  # so that two deliveries of one order can meet


class LiveStack(Stack):
    """`env` names the databases and the broker. What dies is soon started again."""

    def __init__(self, env: Mapping[str, str], data: Path, points: str = "tests.points") -> None:
        """``points``: the module that acts at the named points."""
        self._point = data / "point"
        acting = {"MESSAGING_POINTS": points, "POINTS_FILE": str(self._point)}
        super().__init__({**env, **acting}, data, twice=TWICE, longest_wait=0.1, say=lambda line: None)

    @contextmanager
    def halted(self, service: str) -> Iterator[None]:
        """Stop a service's workers wherever they are; they go on afterwards."""
        names = [name for name in self.pids() if name.startswith(f"worker-{service}")]
        for name in names:
            self.supervisor.kill(name, signal.SIGSTOP)
        try:
            yield
        finally:
            for name in names:
                self.supervisor.kill(name, signal.SIGCONT)

    def arm(self, what: str) -> Armed:
        """Have something happen to the first process that comes to a point, as tests/points.py says it."""
        return Armed(self._point, what)

    @contextmanager
    def paused_at(self, moment: str) -> Iterator[Callable[[], bool]]:
        """The first process that comes to this point stands there until the end of the block. Yields whether one does."""
        armed = self.arm(f"pause {moment}")
        try:
            yield armed.taken
        finally:
            armed.let_go()
