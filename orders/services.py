"""Orders' operations after placement, and the care of sagas. None can tell in which style an order travels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.events import CancellationRequested, OrderCancelled, OrderCompleted, OrderStalled
from orders.models import Order, Saga
from shop.base.databases import alias_of
from shop.messaging.bulk import save_all
from shop.messaging.events import Ref, StepFailed
from shop.messaging.outcomes import Outcome
from shop.messaging.recording import recording
from shop.messaging.relay import take_up
from shop.messaging.retries import next_try
from shop.messaging.wakeup import sweep

Status = Order.Status
WOKEN_AT_ONCE = 200


def complete_order(refs: Sequence[Ref]) -> Outcome:
    """Close an order whose customer knows that it is on its way."""
    return _end(refs, Status.COMPLETED)


def cancel_order(refs: Sequence[Ref]) -> Outcome:
    """The undo of placing: close an order of which everything is undone."""
    return _end(refs, Status.CANCELLED)


def _end(refs: Sequence[Ref], end: Order.Status) -> Outcome:
    outcome = Outcome()
    with recording("orders") as record:
        orders = locked(refs)
        for ref in refs:
            order = orders[ref.id]
            if not order.ended:
                order.status, order.ended_at = end, timezone.now()
                if end == Status.COMPLETED:
                    order.saga.state, order.saga.deadline = Saga.State.ENDED, None
                    record.publish(OrderCompleted(ref=ref))
                else:  # the saga ends when the customer has been told
                    record.publish(OrderCancelled(ref=ref, reason=order.saga.reason))
            (outcome.done if order.status == end else outcome.refused).append(ref)
        save_all(orders.values(), ["status", "ended_at"])
        save_all([order.saga for order in orders.values()], ["state", "deadline"])
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
        if order.ended or order.status == Status.SHIPPED or order.cancellation_refused:
            return Cancellation.SHIPPED
        if order.status != Status.CANCELLING:
            order.status = Status.CANCELLING
            order.save(update_fields=["status"])
            saga.state, saga.undo, saga.attempt = Saga.State.RUNNING, "requested", 0
            saga.moved_at, saga.deadline = timezone.now(), deadline_after()
            saga.save()
            record.publish(CancellationRequested(ref=order.ref, by=by))
        return Cancellation.REQUESTED


@sweep(every=1.0)
def wake_overdue() -> int:
    """Publish ``OrderStalled`` for sagas past their deadline. Returns how many; safe to run in many processes."""
    with recording("orders") as record:
        sagas = list(
            Saga.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("order")
            .filter(state=Saga.State.RUNNING, deadline__lte=timezone.now())
            .order_by("deadline")[:WOKEN_AT_ONCE]
        )
        for saga in sagas:
            saga.deadline = deadline_after(timezone.now() - saga.moved_at)
            record.publish(
                OrderStalled(ref=saga.order.ref, step=saga.undo or saga.step, attempt=saga.attempt)
            )
        save_all(sagas, ["deadline"])
    return len(sagas)


def retry_later(failures: Sequence[StepFailed]) -> None:
    """Give the sagas of failed commands a time to try again or, after too many attempts, to a person."""
    with recording("orders"):
        orders = locked([failure.ref for failure in failures])
        for failure in (failure for failure in failures if failure.ref.id in orders):
            saga = orders[failure.ref.id].saga
            if saga.state == Saga.State.RUNNING and saga.moved_at <= failure.at:
                saga.attempt += 1
                saga.deadline = next_try(failure.operation, saga.attempt)
                saga.state = Saga.State.RUNNING if saga.deadline else Saga.State.PARKED
        save_all([order.saga for order in orders.values()], ["attempt", "deadline", "state"])


def follow_retries(failures: Sequence[StepFailed]) -> None:
    """Let the sagas wait as long as the service that tries again by itself waits, or park them as it did."""
    with recording("orders"):
        orders = locked([failure.ref for failure in failures])
        for failure in (failure for failure in failures if failure.ref.id in orders):
            saga = orders[failure.ref.id].saga
            if saga.state == Saga.State.RUNNING and saga.moved_at <= failure.at:
                saga.attempt = failure.attempt or 0
                saga.state = Saga.State.PARKED if failure.parked else Saga.State.RUNNING
                saga.deadline = None
                if failure.retry_at:
                    saga.deadline = failure.retry_at + timedelta(seconds=settings.SAGA_DEADLINE)
        save_all([order.saga for order in orders.values()], ["attempt", "deadline", "state"])


def resume(order_ids: Sequence[UUID]) -> int:
    """Take orders that wait up again, now, and all that is parked of them. Returns how many."""
    take_up(order_ids)
    with transaction.atomic(using=alias_of("orders")):
        waiting = Saga.objects.filter(order__uuid__in=order_ids).exclude(state=Saga.State.ENDED)
        keys = list(waiting.select_for_update().order_by("order").values_list("pk", flat=True))
        return Saga.objects.filter(pk__in=keys).update(
            state=Saga.State.RUNNING, attempt=0, deadline=timezone.now()
        )


def deadline_after(stalled: timedelta = timedelta(0)) -> datetime:
    """When to look after a saga again: the longer it has not moved, the later, so that a backlog is not added to."""
    wait = min(max(stalled.total_seconds(), settings.SAGA_DEADLINE), settings.SAGA_DEADLINE_CAP)
    return timezone.now() + timedelta(seconds=wait)


def locked(refs: Sequence[Ref]) -> dict[UUID, Order]:
    """The orders with their sagas, both locked, in one fixed order. Must run in a transaction."""
    orders = Order.objects.select_related("saga").filter(
        uuid__in=[ref.id for ref in refs], saga__isnull=False
    )
    return {order.uuid: order for order in orders.select_for_update().order_by("pk")}
