"""Orders' operations after placement. None can tell in which style an order travels."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from uuid import UUID

from django.utils import timezone

from orders import saga as sagas
from orders.events import CancellationRequested, OrderCancelled, OrderCompleted
from orders.models import Order, Saga
from orders.process import REQUESTED
from shop.messaging.events import Ref
from shop.messaging.outcomes import Outcome
from shop.messaging.recording import recording
from shop.messaging.rows import update

Status = Order.Status


def complete_order(refs: Sequence[Ref]) -> Outcome:
    """Close an order whose customer knows that it is on its way."""
    return _end(refs, Status.COMPLETED)


def cancel_order(refs: Sequence[Ref]) -> Outcome:
    """The undo of placing: close an order of which everything is undone."""
    return _end(refs, Status.CANCELLED)


def _end(refs: Sequence[Ref], end: Order.Status) -> Outcome:
    outcome = Outcome()
    with recording("orders") as record:
        orders = Order.objects.locked(refs)
        for ref in refs:
            order = orders[ref.id]
            if not order.ended:
                order.status, order.ended_at = end, timezone.now()
                if end == Status.COMPLETED:
                    sagas.ended(order.saga)
                    record.publish(OrderCompleted(ref=ref))
                else:  # the saga ends when the customer has been told
                    record.publish(OrderCancelled(ref=ref))
            (outcome.done if order.status == end else outcome.refused).append(ref)
        ending = [orders[event.ref.id] for event in record.events]
        update(Order, [{"id": o.pk, "status": o.status, "ended_at": o.ended_at} for o in ending])
        update(Saga, [{"id": o.saga.pk, "state": o.saga.state, "deadline": o.saga.deadline} for o in ending])
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
        saga = Saga.objects.select_for_update().get(order=order)
        if order.status == Status.CANCELLED:
            return Cancellation.ALREADY_CANCELLED
        if order.too_late_to_cancel:
            return Cancellation.SHIPPED
        if order.status != Status.CANCELLING:
            order.status = Status.CANCELLING
            order.save(update_fields=["status"])
            saga.undo = REQUESTED
            sagas.moved(saga, timezone.now())
            saga.save()
            record.publish(CancellationRequested(ref=order.ref, by=by))
        return Cancellation.REQUESTED
