"""How an operation answers: each order in the set has its own outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from shop.messaging.brokers import SAYS_AWAY
from shop.messaging.discretion import first_line
from shop.messaging.events import Ref
from shop.messaging.reach import is_out_of_reach

Item = TypeVar("Item")


class Fault(Exception):
    """Something broke or its outcome is unknown: try again, with the same key."""


class Unavailable(Fault):
    """Somebody outside is away, and that is no order's fault: it is waited out, and no attempt counts."""


@dataclass
class Outcome:
    """What became of a set of orders.

    ``done``: the operation's effect is there, from now or from an earlier try. ``refused``: the business said no, or
    an undo came first; the order leaves the set. ``faults``: something broke for these; they are tried again.
    """

    done: list[Ref] = field(default_factory=list)
    refused: list[Ref] = field(default_factory=list)
    faults: dict[Ref, Exception] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        self.done += other.done
        self.refused += other.refused
        self.faults |= other.faults


def attempt(
    operation: Callable[[Sequence[Item]], Outcome], items: Sequence[Item], ref_of: Callable[[Item], Ref]
) -> Outcome:
    """Run an operation on a set; if it breaks for the set as a whole, run it again one at a time.

    So a fault in one order never takes its neighbours down; but a broker that is away is away for all of them, and so is
    the database of another app, of which something was asked. Never raises: what broke is in the outcome.
    """
    if not items:
        return Outcome()
    try:
        return operation(items)
    except Exception as error:
        if is_out_of_reach(error):
            waits = Unavailable(f"A database is away ({in_a_word(error)}).")
            return Outcome(faults={ref_of(item): waits for item in items})
        if len(items) == 1 or isinstance(error, SAYS_AWAY):
            return Outcome(faults={ref_of(item): error for item in items})
    outcome = Outcome()
    for item in items:
        outcome.add(attempt(operation, [item], ref_of))
    return outcome


def in_a_word(error: Exception) -> str:
    """One line for a row or a log, without the values of a row: they are people's data."""
    said = first_line(error).replace("\0", "")  # which no column takes
    if said and isinstance(error, Fault):  # a sentence of our own
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
