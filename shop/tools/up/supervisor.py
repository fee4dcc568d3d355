"""Keeps children running: starts them, starts them again when they die, and stops them in reverse order."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from shop.tools.up.children import Child, Program
from shop.tools.up.errors import StartError
from shop.tools.up.leftovers import remember
from shop.tools.up.servers import last_complaint

FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0  # s between a death and the next start; doubles with each death
SETTLED = 10.0  # s of running after which a death counts as the first again: starting that often costs little
SILENT = 75.0  # s without a heartbeat; a process that hangs and is not frozen ends itself before that
LOOKS_EVERY = 1.0  # s between two looks at whether it is leaving
DEATHS_AT_START = 3  # a child that dies this often before it was ever ready won't come


@dataclass
class Watched:
    child: Child
    wait: float
    deaths: int = 0
    started: float = field(default_factory=time.monotonic)
    due: float | None = None  # when to start it again
    ready: bool = False
    announce: bool = False  # say so when it is ready again
    beat: float = 0.0  # the heartbeat it was last seen with
    heard: float = 0.0  # when that was new
    looked: float = 0.0  # when it was asked whether it is leaving
    leaving: bool = False

    @property
    def name(self) -> str:
        return self.child.program.name


class Supervisor:
    """Without a thread of its own: call `tick()` a few times a second, or `watch()` to have one thread do it."""

    def __init__(
        self,
        *,
        say: Callable[[str], None] = print,
        pids: Path | None = None,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self._first_wait, self._longest_wait = min(FIRST_WAIT, longest_wait), longest_wait
        self._say = say
        self._pids = pids
        self._tiers: list[list[Watched]] = []
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    # --- Starting ---------------------------------------------------------------------------------------------

    def start(self, *programs: Program) -> None:
        """Start a tier: all of it at once. A later tier is stopped before an earlier one."""
        tier: list[Watched] = []
        with self._lock:
            self._tiers.append(tier)
            for program in programs:
                child = Child(program)
                tier.append(Watched(child, self._first_wait))
                child.start()
            self._remember()

    def adopt(self, *children: Child) -> None:
        """Take over children that run already, as a tier."""
        with self._lock:
            self._tiers.append([Watched(child, self._first_wait, ready=True) for child in children])
            self._remember()

    def wait_ready(self, within: float = 60.0, *, check: Callable[[], None] = lambda: None) -> None:
        """Until every child was ready once; `check` is called in between and may raise to give up."""
        deadline = time.monotonic() + within
        while waiting := [watched for watched in self._all() if not watched.ready]:
            check()
            self.tick()
            for watched in waiting:
                if watched.deaths >= DEATHS_AT_START or time.monotonic() > deadline:
                    raise StartError(_unready(watched.child, within))
            time.sleep(0.05)

    # --- Watching ---------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Look after every child once."""
        with self._lock:
            if self._stopping.is_set():
                return
            changed = False
            for watched in self._all():
                changed |= self._look_after(watched)
                watched.child.rotate_log()
            if changed:
                self._remember()

    def watch(self, every: float = 0.05) -> None:
        """Tick in a thread, which lives until `stop`: children started by it live no longer than it does."""

        def loop() -> None:
            while not self._stopping.wait(every):
                self.tick()
            self._stopped.wait()

        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=loop, name="supervisor", daemon=True)
        self._watcher.start()

    def _look_after(self, watched: Watched) -> bool:
        child, now = watched.child, time.monotonic()
        if watched.due is not None:
            if now < watched.due:
                return False
            return self._start_again(watched)
        if not child.alive:
            child.end_group()
            if watched.ready and not watched.announce and now - watched.started > SETTLED:
                watched.wait, watched.deaths = self._first_wait, 0
            watched.deaths += 1
            watched.due = now + watched.wait
            self._say(
                f"{watched.name} stopped ({_ending(child)}); starting it again in {watched.wait:g} s. "
                f"Its log: {child.program.log}"
            )
            watched.wait = min(watched.wait * 2, self._longest_wait)
            return True
        if self._is_frozen(watched, now):
            self._say(
                f"{watched.name} has done nothing for {SILENT:g} s; it is replaced. Its log: {child.program.log}"
            )
            child.kill()
        elif self._begins_to_leave(watched, now):
            self._say(
                f"{watched.name} was asked to end when all have left it; it is ended now, and started again."
            )
            child.signal(child.program.stop_signal)
        elif (not watched.ready or watched.announce) and child.is_ready():
            if watched.announce:
                self._say(f"{watched.name} is back.")
            watched.ready, watched.announce = True, False
        return False

    def _is_frozen(self, watched: Watched, now: float) -> bool:
        """Whether its heartbeat stands still. Whatever the clock says: it may jump."""
        if (beat := watched.child.heartbeat()) != watched.beat or not watched.ready:
            watched.beat, watched.heard = beat, now
        return watched.child.program.beats is not None and now - max(watched.heard, watched.started) > SILENT

    def _begins_to_leave(self, watched: Watched, now: float) -> bool:
        if watched.leaving or now - watched.looked < LOOKS_EVERY:
            return False
        watched.looked, watched.leaving = now, watched.child.program.leaving(watched.child)
        return watched.leaving

    def _start_again(self, watched: Watched) -> bool:
        try:
            watched.child.start()
        except OSError as error:
            self._say(f"{watched.name} can't be started ({error}); trying again in {watched.wait:g} s.")
            watched.due = time.monotonic() + watched.wait
            watched.wait = min(watched.wait * 2, self._longest_wait)
            return False
        watched.leaving = False
        watched.due, watched.started, watched.announce = None, time.monotonic(), watched.ready
        return True

    # --- Asking and ending ------------------------------------------------------------------------------------

    def pids(self) -> dict[str, int]:
        return {watched.name: watched.child.pid for watched in self._all() if watched.child.alive}

    def readiness(self) -> dict[str, bool]:
        """Of each, whether it runs and was ready since it was last started."""
        return {watched.name: _is_up(watched) for watched in self._all()}

    def settled(self) -> bool:
        """Whether all of them are."""
        return all(self.readiness().values())

    def child(self, name: str) -> Child:
        return self._watched(name).child

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """As a crash would; it is started again by the next ticks."""
        self.child(name).signal(number)

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Stop one, and have it started again by the next tick after the block."""
        watched = self._watched(name)
        with self._lock:
            watched.child.stop()
            watched.due = math.inf
            self._remember()
        try:
            yield
        finally:
            watched.due = time.monotonic()

    def stop(self) -> None:
        """Stop the tiers, the last one first, each as a whole; nothing is left."""
        self._stopping.set()
        with self._lock:
            for tier in reversed(self._tiers):
                _stop_tier([watched.child for watched in tier])
            self._tiers.clear()
            self._remember()
        if self._watcher:
            self._stopped.set()
            self._watcher.join()

    def _watched(self, name: str) -> Watched:
        return next(watched for watched in self._all() if watched.name == name)

    def _all(self) -> list[Watched]:
        return [watched for tier in self._tiers for watched in tier]

    def _remember(self) -> None:
        if self._pids:
            remember(self._pids, (watched.child for watched in self._all() if watched.child.alive))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _is_up(watched: Watched) -> bool:
    return watched.child.alive and watched.ready and not watched.announce


def _stop_tier(children: Iterable[Child]) -> None:
    children = list(children)
    for child in children:
        child.signal(child.program.stop_signal)
    begun = time.monotonic()
    for child in children:
        child.reap(child.program.patience - (time.monotonic() - begun))


def _ending(child: Child) -> str:
    code = child.returncode or 0
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _unready(child: Child, within: float) -> str:
    did = "keeps stopping" if not child.alive else f"was not ready after {within:g} s"
    return f"{child.program.name} {did} ({last_complaint(child.output())[:200]}): see {child.program.log}."
