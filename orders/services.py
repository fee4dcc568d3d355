"""Orders' operations after placement. None can tell in which style an order travels."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from uuid import UUID

from django.db.models.functions import Now

from orders import saga as sagas
from orders.events import CancellationRequested, OrderCancelled, OrderCompleted
from orders.models import Order, Saga
from orders.process import REQUESTED
from shop.messaging.events import Ref
from shop.messaging.outcomes import Outcome
from shop.messaging.recording import recording
from shop.messaging.rows import select, update

Status = Order.Status
UNENDED = tuple(status for status in Status if status not in (Status.COMPLETED, Status.CANCELLED))


def complete_order(refs: Sequence[Ref]) -> Outcome:
    """Close an order whose customer knows that it is on its way."""
    return _end(refs, Status.COMPLETED)


def cancel_order(refs: Sequence[Ref]) -> Outcome:
    """The undo of placing: close an order of which everything is undone."""
    return _end(refs, Status.CANCELLED)


def _end(refs: Sequence[Ref], end: Order.Status) -> Outcome:
    with recording("orders") as record:
        rows = [{"uuid": ref.id, "status": end} for ref in refs]
        moved = update(Order, rows, only={"status": UNENDED}, now=("ended_at",), returning=("uuid", "id"))
        ended: dict[UUID, int] = dict(moved)
        for ref in refs:
            if ref.id in ended:
                record.publish(
                    OrderCompleted(ref=ref) if end == Status.COMPLETED else OrderCancelled(ref=ref)
                )
        if end == Status.COMPLETED:  # the saga of a cancelled order ends when the customer has been told
            sagas.end_of(ended.values())
    before: dict[UUID, str] = dict(
        select(Order, ("uuid", "status"), "uuid", (ref.id for ref in refs if ref.id not in ended))
    )
    as_wished = {id for id, status in before.items() if status == end} | ended.keys()
    outcome = Outcome()
    for ref in refs:
        (outcome.done if ref.id in as_wished else outcome.refused).append(ref)
    return outcome


class Cancellation(Enum):
    """The answer to a wish to cancel."""

    REQUESTED = "The order is being cancelled, unless it turns out to have left already."
    ALREADY_CANCELLED = "The order is cancelled."
    SHIPPED = "The order has been handed over to the carrier; it can only be returned."


def request_cancellation(order_id: UUID, by: str) -> Cancellation:
    """Ask for an order to be undone. Whether that is still possible is for shipping to say.

    Raises:
        Order.DoesNotExist: no such order.
    """
    with recording("orders") as record:
        order = Order.objects.select_for_update().get(uuid=order_id)
        saga = Saga.objects.annotate(now=Now()).select_for_update().get(order=order)
        if order.status == Status.CANCELLED:
            return Cancellation.ALREADY_CANCELLED
        if order.too_late_to_cancel:
            return Cancellation.SHIPPED
        if order.status != Status.CANCELLING:
            order.status = Status.CANCELLING
            order.save(update_fields=["status"])
            saga.undo = REQUESTED
            sagas.moved(saga, saga.now, saga.now)
            saga.save()
            record.publish(CancellationRequested(ref=order.ref, by=by))
        return Cancellation.REQUESTED
