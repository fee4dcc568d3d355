"""Python processes forked off one that has imported everything: in memory they share it, and they start at once.

What is forked becomes a child of this process (Linux hands it over, see `adopting`), as if started here: it lives on
when the fork server dies, it is waited for, and it ends with this process. What can't be forked is started as always.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence

from shop.tools.up.linux import adopting

PATIENCE = 20.0  # s for the server's imports, and for a fork
READY = b"fork server ready"


class Forked:
    """A forked child, with what `Child` uses of subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # it ended before it was handed over
                pid, status = self.pid, signal.SIGKILL
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.01)
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class ForkServer:
    """Our end of the line to the fork server; the other is its standard input."""

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self._its_end: socket.socket | None = None
        self._greeted = False

    def connect(self) -> None:
        """Make a new line, for a server that is about to be started."""
        self.close()
        self._line, self._its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(PATIENCE)

    def its_end(self) -> int:
        if self._its_end is None:
            raise RuntimeError("The line to the fork server is made by connect().")
        return self._its_end.fileno()

    def fork(
        self,
        name: str,
        arguments: Sequence[str],
        log: int,
        orphan_signal: signal.Signals,
        log_path: str = "",
    ) -> Forked | None:
        """A process that goes on as `python ARGUMENTS`, in the server's environment; None if no server answers.

        ``log_path``: of its log, if it goes on in a new one when that is renamed.
        """
        if self._line is None:
            return None
        if self._its_end:  # the server has it by now; while we keep it too, we would not see it die
            self._its_end.close()
            self._its_end = None
        wanted = {"name": name, "arguments": list(arguments), "orphan_signal": int(orphan_signal)}
        wanted["log_path"] = log_path
        try:
            if not self._greeted and self._line.recv(len(READY)) != READY:
                raise ConnectionError("The fork server has ended.")
            self._greeted = True
            with adopting():
                socket.send_fds(self._line, [json.dumps(wanted).encode()], [log])
                pid = self._answer()
        except OSError:
            pid = 0
        if not pid:
            self.close()
            return None
        return Forked(pid)

    def _answer(self) -> int:
        """A child runs only when its number has been sent: what comes after we have given up is never lived."""
        assert self._line  # noqa: S101 (tells mypy; who calls has looked)
        try:
            answer = self._line.recv(20)
        except TimeoutError:
            self._line.shutdown(socket.SHUT_RDWR)
            answer = self._line.recv(20)
        return int(answer or 0)

    def close(self) -> None:
        for end in (self._line, self._its_end):
            if end:
                end.close()
        self._line = self._its_end = None
        self._greeted = False
