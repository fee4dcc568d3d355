"""python -m shop.tools.up.forkserver: imports what relay and workers need, and forks them off (see forking.py)."""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
from dataclasses import dataclass

from shop.base.logs import FILE as LOG_FILE
from shop.tools.up.forking import READY
from shop.tools.up.linux import call_this_process, tie_to_parent

LEAVE = b"live"
ADOPTION = 5.0  # s in which a forked process must have been handed over to its new parent
# What a worker imports only when it starts.
LATE = (
    "orders.management.commands.webhooks",
    "shop.management.commands.relay",
    "shop.management.commands.worker",
    "celery.apps.worker",
    "celery.concurrency.solo",
    "celery.fixups.django",
    "celery.worker.consumer",
    "celery.worker.loops",
    "celery.worker.pidbox",
    "django.core.cache.backends.redis",
)


@dataclass(frozen=True)
class Wanted:
    name: str
    arguments: list[str]
    orphan_signal: int
    log: int
    log_path: str = ""


def prepare() -> None:
    """Import everything, open nothing: a connection or thread must not be carried over a fork."""
    os.environ["PAGES"] = "0"
    gc.disable()
    import django
    from django.core.checks import run_checks

    django.setup()
    run_checks()
    from django.conf import settings

    for module in (*LATE, settings.BROKER.transport):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # the children's collections leave it alone, and so the pages stay shared


def serve(line: socket.socket) -> Wanted | None:
    """Fork as asked. Returns None when nobody will ask any more; and in each forked process, with what it is to be."""
    parent = os.getppid()
    while True:
        message, fds, _flags, _from = socket.recv_fds(line, 65_536, 1)
        if not message:
            return None
        wanted = Wanted(**json.loads(message), log=fds[0])
        (number, number_in), (leave, leave_in) = os.pipe(), os.pipe()
        middle = os.fork()
        if middle == 0:
            _hand_over(number_in, leave_in)
            _await_leave(parent, leave, wanted)
            for fd in (number, number_in, leave):
                os.close(fd)
            return wanted
        os.waitpid(middle, 0)  # from now on what it forked is our parent's child
        line.send(os.read(number, 20))
        os.write(leave_in, LEAVE)
        for fd in (number, number_in, leave, leave_in, wanted.log):
            os.close(fd)


def _hand_over(number_in: int, leave_in: int) -> None:
    """Returns in a child of this process, which has ended."""
    middle = os.getpid()
    if child := os.fork():
        os.write(number_in, str(child).encode())
        os._exit(0)
    os.close(leave_in)
    deadline = time.monotonic() + ADOPTION
    while os.getppid() == middle and time.monotonic() < deadline:
        time.sleep(0.0005)


def _await_leave(parent: int, leave: int, wanted: Wanted) -> None:
    """Until the parent has been told our number: a child that it knows nothing of must not live."""
    if tie := tie_to_parent(signal.Signals(wanted.orphan_signal), parent):
        tie()
    if os.read(leave, len(LEAVE)) != LEAVE:
        os._exit(1)


def become(wanted: Wanted) -> None:
    """Go on as `python ARGUMENTS`."""
    os.setsid()
    call_this_process(wanted.name)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (wanted.log, 1), (wanted.log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(wanted.log)
    os.environ[LOG_FILE] = wanted.log_path
    gc.enable()
    first, *rest = wanted.arguments
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = wanted.arguments
        runpy.run_path(first, run_name="__main__")


def main() -> None:
    line = socket.socket(fileno=os.dup(0))
    prepare()
    line.send(READY)
    sys.stdout.write(f"{READY.decode()}\n")
    sys.stdout.flush()
    wanted = serve(line)
    line.close()
    if wanted:
        become(wanted)


if __name__ == "__main__":
    main()
