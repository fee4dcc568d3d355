"""What a test does to a real process at a named point of shop/messaging/points.py; $MESSAGING_POINTS names this module.

The file $POINTS_FILE says what is to happen: ``ACTION POINT [ABOUT]``, such as ``end committing PaymentProcessed``.
The first process that comes to that moment takes the file away and acts: ``end`` is SIGKILL to itself, ``pause`` stands
still until the taken file is deleted, ``fail`` raises a Fault.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from shop.messaging.points import Point

ACTIONS = ("end", "pause", "fail")
LONGEST_PAUSE = 60.0  # s


class Armed:
    """What a test has said is to happen, once."""

    def __init__(self, file: Path, what: str) -> None:
        """``what``: as the file says it. It replaces what was armed before and has not happened."""
        action, point, *_ = what.split()
        if action not in ACTIONS:
            raise ValueError(f"{action!r} is none of {', '.join(ACTIONS)}.")
        Point(point)
        self._file = file
        fresh = file.with_name(f"{file.name}.new")
        fresh.write_text(what)
        fresh.rename(file)  # so that nobody reads half of it

    def taken(self) -> bool:
        """Whether a process has come to the point."""
        return not self._file.exists()

    def let_go(self) -> None:
        """Let who stands there go on. What has not happened yet will not."""
        self._file.unlink(missing_ok=True)
        taken_from(self._file).unlink(missing_ok=True)


def act(point: Point, about: str | Iterable[object]) -> None:
    """Do what the file says, if this is the moment it names, and nobody was faster."""
    file = Path(os.environ["POINTS_FILE"])
    try:
        action, wanted, *of = file.read_text().split()
        if wanted != point or not names(about).issuperset(of):
            return
        taken = file.rename(taken_from(file))
    except FileNotFoundError:  # nothing is armed, or another process was faster
        return
    if action == "end":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "pause":
        deadline = time.monotonic() + LONGEST_PAUSE
        while taken.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    else:
        from shop.messaging.outcomes import (
            Fault,  # it takes Django's apps, which a process that ends here need not have
        )

        raise Fault(f"A test had this fail: {point} {' '.join(of)}")


def taken_from(file: Path) -> Path:
    """What the file is called once a process has taken it."""
    return file.with_name(f"{file.name}.taken")


def names(about: str | Iterable[object]) -> set[str]:
    """What a point is about: a name, or the types of events and rows."""
    return (
        {about}
        if isinstance(about, str)
        else {getattr(thing, "type", type(thing).__name__) for thing in about}
    )
