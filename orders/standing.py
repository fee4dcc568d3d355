"""Where orders stand: of an order and its saga just what moves, read and written for a set at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from orders.models import Order, Saga
from orders.webhooks.noting import WANTED
from shop.messaging.events import Ref
from shop.messaging.rows import Row, as_array, execute, update


class Standing(msgspec.Struct):
    """``id`` is the order's; the fields from ``saga_id`` on are its saga's. ``now`` is what the database's clock says.

    ``told``: its customer has webhooks (``orders/webhooks``).
    """

    id: int
    uuid: UUID
    status: str
    cancellation_refused: bool
    ended: bool
    saga_id: int
    state: str
    step: str
    undo: str
    attempt: int
    moved_at: datetime
    deadline: datetime | None
    last_error: str
    reason: str
    now: datetime
    told: bool

    @property
    def _of_order(self) -> Row:
        return {"id": self.id, "status": self.status, "cancellation_refused": self.cancellation_refused}

    @property
    def _of_saga(self) -> Row:
        return {
            "id": self.saga_id,
            "state": self.state,
            "step": self.step,
            "undo": self.undo,
            "attempt": self.attempt,
            "moved_at": self.moved_at,
            "deadline": self.deadline,
            "last_error": self.last_error,
            "reason": self.reason,
        }


LOCKED = f"""
    SELECT o.id, uuid, status, cancellation_refused, ended_at IS NOT NULL,
        s.id, state, step, undo, attempt, moved_at, deadline, last_error, reason, now(),
        {WANTED}
    FROM {Order._meta.db_table} AS o JOIN {Saga._meta.db_table} AS s ON s.order_id = o.id
    WHERE uuid = ANY(%s::uuid[]) ORDER BY o.id FOR NO KEY UPDATE
"""


def locked(refs: Iterable[Ref]) -> dict[UUID, Standing]:
    """Where these orders stand; nobody else moves them until the transaction ends."""
    rows = execute(Order, LOCKED, as_array({ref.id for ref in refs}), fetch=True)
    return {row[1]: Standing(*row) for row in rows}


def write(moved: Collection[tuple[Standing, Standing]]) -> None:
    """Write what is different: pairs of how each order stood and how it stands now."""
    update(Order, [now._of_order for before, now in moved if now._of_order != before._of_order])
    update(Saga, [now._of_saga for before, now in moved if now._of_saga != before._of_saga])
