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

from shop.messaging.outcomes import Fault
from shop.messaging.points import Point

ARMED = Path(os.environ["POINTS_FILE"])
LONGEST_PAUSE = 60.0  # s


def act(point: Point, about: str | Iterable[object]) -> None:
    try:
        action, wanted, *of = ARMED.read_text().split()
        if wanted != point or not names(about).issuperset(of):
            return
        taken = ARMED.rename(taken_from(ARMED))
    except FileNotFoundError:  # nothing is armed, or another process was faster
        return
    if action == "end":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "pause":
        deadline = time.monotonic() + LONGEST_PAUSE
        while taken.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    else:
        raise Fault(f"A test had this fail: {point} {' '.join(of)}")


def taken_from(armed: Path) -> Path:
    """What the file is called once a process has taken it."""
    return armed.with_name(f"{armed.name}.taken")


def names(about: str | Iterable[object]) -> set[str]:
    """What a point is about: a name, or the types of events and rows."""
    return (
        {about}
        if isinstance(about, str)
        else {getattr(thing, "type", type(thing).__name__) for thing in about}
    )
