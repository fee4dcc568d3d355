"""What an operation would do outside the shop, if it were run for an order now; and what of it is recorded as done.

Each app says it of its own operations, from its own rows, in its ``foresight.py``. Nothing is done and nobody is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shop.messaging.tasks import service_of


@dataclass(frozen=True)
class Effects:
    """Sentences for staff. ``recorded``: it would not be done again. ``outside``: what would happen there."""

    recorded: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


Foresight = Callable[[Collection[UUID]], Mapping[UUID, Effects]]
_foresights: dict[str, Foresight] = {}


def foresees(*operations: Callable[..., Any]) -> Callable[[Foresight], Foresight]:
    """Register the function that says what these operations would do outside, by the orders' ids."""

    def register(function: Foresight) -> Foresight:
        for operation in operations:
            name = f"{service_of(operation.__module__)}.{operation.__name__}"
            if _foresights.setdefault(name, function) is not function:
                raise TypeError(f"What {name} does outside is said twice.")
        return function

    return register


def foreseen(operation: str, order_ids: Collection[UUID]) -> dict[UUID, Effects]:
    """For each order. An operation of which nothing is said stays within the shop's own rows."""
    foresight = _foresights.get(operation)
    found = foresight(order_ids) if foresight else {}
    return {order_id: found.get(order_id, Effects()) for order_id in order_ids}


def together(effects: Iterable[Effects]) -> Effects:
    """All of it, each sentence once."""
    effects = list(effects)
    recorded = dict.fromkeys(said for one in effects for said in one.recorded)
    return Effects(tuple(recorded), tuple(dict.fromkeys(said for one in effects for said in one.outside)))
