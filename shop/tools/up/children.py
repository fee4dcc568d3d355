"""One child process: started with its own session and log, ended for certain, never outliving its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from shop.base.logs import FILE as LOG_FILE
from shop.tools.up.forking import Forked, ForkServer
from shop.tools.up.linux import tie_to_parent
from shop.tools.up.logs import rotate

LOG_EVERY = 1.0  # s between two looks at a log's size

Probe = Callable[["Child"], bool]


@dataclass(frozen=True)
class Account:
    """The user a program runs as, when `up` itself is root and the program refuses root."""

    uid: int
    gid: int


def always_ready(child: Child) -> bool:
    return True


def stays(child: Child) -> bool:
    return False


def nothing() -> None:
    return


def no_input() -> int:
    return subprocess.DEVNULL


@dataclass(frozen=True, kw_only=True)
class Program:
    """How one process is started, known to be ready, and stopped."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(repr=False)  # holds passwords
    cwd: Path | None = None
    account: Account | None = None
    before: Callable[[], None] = nothing  # called before each start
    stdin: Callable[[], int] = no_input  # called at each start
    forked_by: ForkServer | None = None  # if it can be: argv is Python's, and env the fork server's own
    ready: Probe = always_ready
    leaving: Probe = stays  # whether somebody has asked it to end once nobody uses it any more
    stop_signal: signal.Signals = signal.SIGTERM
    follows_log: bool = False  # goes on in a new log when its log is renamed (shop/base/logs.py)
    beats: Path | None = None  # a file that it touches as long as it gets on with its work
    orphan_signal: signal.Signals = signal.SIGKILL  # what Linux sends it when this process dies
    patience: float = 10.0  # s between the stop signal and SIGKILL


class Child:
    """A program that runs, or ran. It can be started again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.log_from = 0  # where in the log the present run begins
        self.created = 0.0
        self._log_seen = 0.0
        self._process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def returncode(self) -> int | None:
        return self._process.poll() if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Call it from the main thread, or one that lives as long: Linux ends the child with the thread."""
        program = self.program
        program.before()
        program.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            self.log_from = log.tell()
            self._process = self._fork(log.fileno()) or self._spawn(log.fileno())
        try:
            self.created = psutil.Process(self.pid).create_time()
        except psutil.Error:
            self.created = time.time()

    def _fork(self, log: int) -> Forked | None:
        program = self.program
        if program.forked_by is None:
            return None
        path = str(program.log) if program.follows_log else ""
        return program.forked_by.fork(program.name, program.argv[1:], log, program.orphan_signal, path)

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        program = self.program
        return subprocess.Popen(  # noqa: S603 (programs of our own, by a list and no shell)
            program.argv,
            stdin=program.stdin(),
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.cwd,
            env=self._env(),
            start_new_session=True,  # Ctrl-C reaches `up` alone, which then stops the children in order
            preexec_fn=tie_to_parent(program.orphan_signal),  # noqa: PLW1509 (it only makes two system calls)
            user=program.account.uid if program.account else None,
            group=program.account.gid if program.account else None,
            extra_groups=[] if program.account else None,
        )

    def _env(self) -> dict[str, str]:
        own = {LOG_FILE: str(self.program.log)} if self.program.follows_log else {}
        return {**{name: value for name, value in self.program.env.items() if name != LOG_FILE}, **own}

    def is_ready(self) -> bool:
        return self.alive and self.program.ready(self)

    def wait_ready(self, within: float) -> bool:
        """False when the process died or the time is over."""
        deadline = time.monotonic() + within
        while self.alive and time.monotonic() < deadline:
            if self.is_ready():
                return True
            time.sleep(0.02)
        return False

    def heartbeat(self) -> float:
        """When it last said that it gets on with its work; only good for telling two from each other."""
        try:
            return self.program.beats.stat().st_mtime if self.program.beats else 0.0
        except OSError:
            return 0.0

    def output(self) -> str:
        """What this run has written to its log."""
        try:
            with self.program.log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(self.log_from if self.log_from <= size else 0)  # since then it has been rotated
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def rotate_log(self) -> None:
        """If it is too large; looked at now and then."""
        now = time.monotonic()
        if now - self._log_seen > LOG_EVERY:
            self._log_seen = now
            if rotate(self.program.log, follows=self.program.follows_log):
                self.log_from = 0

    def signal(self, number: int) -> None:
        if self.alive:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, to this process alone, as a crash would."""
        self.signal(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def stop(self) -> None:
        self.signal(self.program.stop_signal)
        self.reap(self.program.patience)

    def reap(self, patience: float) -> None:
        """Wait for the end, then make sure of it, for grandchildren too."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, patience))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.end_group()

    def end_group(self) -> None:
        """End what the process left behind in its group. The group keeps its number while it has members."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def run(*argv: str, account: Account | None = None, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a short command to its end: its code and all it wrote. A command that can't be started has code 126."""
    try:
        done = subprocess.run(  # noqa: S603 (programs of our own, by a list and no shell)
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd="/",
            timeout=120,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return 126, str(error)
    return done.returncode, done.stdout.decode(errors="replace")
