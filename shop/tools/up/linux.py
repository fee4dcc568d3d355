"""What Linux does for parents and their children, so that none outlives the other. Elsewhere nothing of it happens."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36  # linux/prctl.h
ON_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None) if ON_LINUX else None
_adopting = threading.Lock()  # it holds for the whole process


def tie_to_parent(number: signal.Signals, parent: int | None = None) -> Callable[[], None] | None:
    """What a new process calls to be sent this signal when its parent dies: a SIGKILLed one can't stop its children."""
    if _libc is None:
        return None
    prctl = _libc.prctl
    if parent is None:
        parent = os.getpid()

    def tie() -> None:  # runs in the child, after the change of user, which would undo it
        prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os._exit(1)

    return tie


@contextmanager
def adopting() -> Iterator[None]:
    """Meanwhile whatever process among our descendants loses its parent becomes our own child."""
    if _libc is None:
        raise NotImplementedError
    with _adopting:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            yield
        finally:
            _libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


def call_this_process(name: str) -> None:
    """What `ps -o comm` and `top` show; the kernel keeps 15 bytes of it."""
    if _libc is not None:
        _libc.prctl(PR_SET_NAME, name.encode())
