"""What an app has published for others to ask for is corrected only while nobody uses it.

The step that needs it belongs to another service, and may run at any moment, in any process. So that service is asked to
hold it off: it decides in its own row for the order, by the same insertion or under the same lock by which the step
begins. Either the step has begun, and the hold is refused; or it begins after the hold, and sees what was corrected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from shop.messaging.events import Ref
from shop.messaging.outcomes import Fault
from shop.messaging.tasks import service_of

# Whoever held a step off so long ago is dead: a correction takes some milliseconds.
FORGOTTEN_AFTER = timedelta(seconds=60)


class InUse(Exception):
    """The step that needs it has begun: it can't be corrected any more. A sentence for staff says why."""


class BeingCorrected(Fault):
    """What the step needs is being corrected at this moment: it is tried again."""


class Holder(Protocol):
    """How a service holds off a step of an order that has not begun."""

    def in_use(self, order_id: UUID) -> str:
        """Why it would be refused now; empty: it would not be."""

    def hold(self, ref: Ref) -> None:
        """Hold the step off, until ``let_go``. Again is no harm. Raises InUse."""

    def let_go(self, order_id: UUID) -> bool:
        """Let it begin. Returns whether it was held off until now; an undo may have come first."""


@dataclass(frozen=True)
class Held:
    """``operation``: the step, as it is published. ``holder``: how it is held off."""

    operation: str
    holder: Holder


_holders: dict[type[Any], Held] = {}


def holds(kind: type[Any], operation: Callable[..., Any], holder: Holder) -> None:
    """Say which step, an operation of the caller's service, needs the answer to this look-up, and how it is held off.

    Raises:
        TypeError: another step has been named.
    """
    name = f"{service_of(operation.__module__)}.{operation.__name__}"
    if kind in _holders:
        raise TypeError(f"Who uses {kind.__name__} is said twice: {_holders[kind].operation} and {name}.")
    _holders[kind] = Held(name, holder)


def user_of(kind: type[Any]) -> Held:
    """Which step needs the answer to this look-up. Raises LookupError: nobody has said so."""
    if kind not in _holders:
        raise LookupError(f"Nobody has said which step needs {kind.__name__}.")
    return _holders[kind]


@dataclass
class Hold:
    """``kept``: nothing has come in between, once the block is over: no undo, and it did not take too long."""

    kept: bool = True


@contextmanager
def held_off(kind: type[Any], ref: Ref) -> Iterator[Hold]:
    """Within this block the step that needs it does not begin: the answer to the look-up may be corrected.

    Raises:
        InUse: it has begun.
    """
    holder = user_of(kind).holder
    holder.hold(ref)
    hold = Hold()
    try:
        yield hold
    finally:
        hold.kept = holder.let_go(ref.id)
