"""The row a service keeps of each order: what makes its operations idempotent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import models

from shop.messaging.events import Ref
from shop.messaging.outcomes import Fault
from shop.messaging.rows import Row, insert, select, update

P = ParamSpec("P")
T = TypeVar("T")


class Overtaken(Fault):
    """Another delivery took an order up at the very same moment. What this one did is rolled back."""


class PerOrder(models.Model):
    """What a service knows of one order: the row its operations move on, and the tombstone an early undo leaves.

    An operation makes a row where there is none (``begin``) and writes one only from the state it expects
    (``advance``): that makes it idempotent per order, whoever sends it, however often and in whatever order.
    """

    order_id = models.UUIDField(primary_key=True)
    number = models.CharField("order", max_length=32)
    state = models.CharField(max_length=12)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number

    @classmethod
    def begin(cls, rows: Iterable[Row], *fields: str) -> dict[UUID, tuple[Any, ...]]:
        """Make the rows of those orders that have none. Returns these orders, with the fields of their rows."""
        # In one sequence, so that two sets never wait for each other.
        in_sequence = sorted(rows, key=lambda row: str(row["order_id"]))
        made = insert(cls, in_sequence, once=True, returning=("order_id", *fields))
        return {row[0]: row[1:] for row in made}

    @classmethod
    def begin_all(cls, rows: Sequence[Row]) -> None:
        """Make the rows of orders that had none when we looked.

        Raises:
            Overtaken: one has a row by now; let the transaction roll back.
        """
        if len(cls.begin(rows)) < len(rows):
            raise Overtaken("Another delivery took the order up at the same moment.")

    @classmethod
    def advance(cls, refs: Iterable[Ref], before: str | tuple[str, ...], after: str) -> set[UUID]:
        """Move the rows that are in the state ``before`` (one of them) on to ``after``. Returns the orders whose were."""
        rows = [{"order_id": ref.id, "state": after} for ref in refs]
        moved = update(cls, rows, only={"state": before}, returning=("order_id",))
        return {order_id for (order_id,) in moved}

    @classmethod
    def known(cls, refs: Iterable[Ref], *fields: str) -> dict[UUID, tuple[Any, ...]]:
        """These fields of the orders that have a row, as it is now: nothing is locked."""
        found = select(cls, ("order_id", *fields), "order_id", (ref.id for ref in refs))
        return {row[0]: row[1:] for row in found}

    @classmethod
    def states(cls, refs: Iterable[Ref]) -> dict[UUID, str]:
        """The states of the orders that have a row, as they are now."""
        return {order_id: state for order_id, (state,) in cls.known(refs, "state").items()}


def again_if_overtaken(operation: Callable[P, T]) -> Callable[P, T]:
    """The operation, run once more when it was overtaken: now it finds what the other delivery did."""

    @wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return operation(*args, **kwargs)
        except Overtaken:
            return operation(*args, **kwargs)

    return run
