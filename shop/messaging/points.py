"""Named moments at which a test can end, pause or fail a real process (see tests/points.py). Off, they cost nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from enum import StrEnum
from importlib import import_module


class Point(StrEnum):
    """The moments, in the sequence in which a step comes by them; and what each is about."""

    RECEIVED = "received"  # a task has its message and has done nothing; the task's name
    ANSWERED = "answered"  # the outside has answered, nothing is recorded; the path that was asked, or "mail"
    COMMITTING = "committing"  # all is written, the transaction is still open; the events in it
    COMMITTED = "committed"  # for good, but nobody was told; the events
    HANDLED = "handled"  # the task is done, the next link of its chain not yet sent; its name
    SENT_ON = "sent_on"  # the next link is sent, the message not yet acknowledged; the task's name
    CLAIMED = "claimed"  # a relay has marked rows as being sent, and sent none; the rows
    RELAYED = "relayed"  # a relay has sent rows; the rows


Act = Callable[[Point, str | Iterable[object]], None]
_module = os.environ.get("MESSAGING_POINTS")
act: Act | None = import_module(_module).act if _module else None


def reach(point: Point, about: str | Iterable[object]) -> None:
    """Say that this process has come to a point."""
    if act is not None:
        act(point, about)
