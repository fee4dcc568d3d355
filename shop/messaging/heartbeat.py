"""That a process gets on with its work. One that hangs ends itself; one that is frozen is found by who watches its file.

What it was at does no harm: its transaction is rolled back, and whatever it would still commit late finds its rows moved
on or its session ended (``DATABASE_WAITS`` in the settings).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

EVERY = 2.0  # s between two looks
HANGS_AFTER = 60.0  # s; nothing takes as long: statements and calls to the outside have limits far below
HANGS = 75  # the exit code

_state = {"beats": 0, "waiting": 0}


def folder() -> Path | None:
    """Where the files are, one a process, called like it; none if the shop has no folder of its own."""
    data = os.environ.get("SHOP_DATA")
    return Path(data) / "beats" if data else None


def beat() -> None:
    """This process has come a step further. Costs next to nothing."""
    _state["beats"] += 1


@contextmanager
def waiting() -> Iterator[None]:
    """Within this block the process waits for somebody else, such as the broker, and is not expected to come further."""
    _state["waiting"] += 1
    try:
        yield
    finally:
        _state["waiting"] -= 1
        beat()


def begin(name: str) -> None:
    """Watch this process, from a thread, as long as it lives."""
    threading.Thread(target=_watch, args=(name,), name="heartbeat", daemon=True).start()


def _watch(name: str) -> None:
    """Counts its own looks and not the time: a process that was frozen as a whole gets its chance when it wakes."""
    known, silent = -1, 0
    while silent * EVERY < HANGS_AFTER:
        beats = _state["beats"]
        moved = beats != known or _state["waiting"] > 0
        known, silent = beats, 0 if moved else silent + 1
        if moved:
            _touch(name)
        time.sleep(EVERY)
    logger.critical("%s has not come any further for %g s and ends itself.", name, HANGS_AFTER)
    os._exit(HANGS)


def _touch(name: str) -> None:
    where = folder()
    if where is None:
        return
    try:
        where.mkdir(mode=0o700, exist_ok=True)
        (where / name).touch()
    except OSError as error:  # a full disk is no reason to end
        logger.warning("The heartbeat of %s can't be written: %s", name, error)
