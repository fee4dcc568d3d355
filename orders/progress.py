"""orders hears every event, in both styles: so the order's status, its saga and its timeline are kept.

Events may come late, twice or in another sequence than they happened; the furthest one counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from inventory.events import InventoryRejected, InventoryReleased, InventoryReserved, StockDispatched
from notifications.events import CancellationNoticeSent, ConfirmationSent
from orders.events import CancellationRequested, OrderCancelled, OrderCompleted, OrderCreated, OrderStalled
from orders.models import Order, Saga, TimelineEntry
from orders.services import deadline_after, locked
from payments.events import PaymentFailed, PaymentProcessed, PaymentRefunded
from shipping.events import (
    CancellationRefused,
    LabelCreated,
    OrderShipped,
    ParcelPlanned,
    ShippingFailed,
    ShippingStopped,
)
from shop.base.money import show
from shop.messaging.bulk import save_all
from shop.messaging.events import Event, StepFailed
from shop.messaging.recording import recording
from shop.messaging.subscriptions import when

Status = Order.Status
Kind = TimelineEntry.Kind

# How far an order is, in sequence; and, when it is being undone, how far that is.
STEPS = ("placed", "reserved", "paid", "shipped", "confirmed", "completed")
UNDONE = ("", "requested", "stopped", "refunded", "released", "cancelled", "notified")

REACHED: dict[type[Event], str] = {
    OrderCreated: "placed",
    InventoryReserved: "reserved",
    PaymentProcessed: "paid",
    ParcelPlanned: "paid",
    LabelCreated: "paid",
    OrderShipped: "shipped",
    StockDispatched: "shipped",
    ConfirmationSent: "confirmed",
    OrderCompleted: "completed",
}
# A refusal enters the mirror where it happened: what would come before it there needs no undoing.
UNDONE_BY: dict[type[Event], str] = {
    CancellationRequested: "requested",
    ShippingFailed: "stopped",
    ShippingStopped: "stopped",
    PaymentFailed: "refunded",
    PaymentRefunded: "refunded",
    InventoryRejected: "released",
    InventoryReleased: "released",
    OrderCancelled: "cancelled",
    CancellationNoticeSent: "notified",
}
SHOWN_AS = {
    "placed": Status.PLACED,
    "reserved": Status.RESERVED,
    "paid": Status.PAID,
    "shipped": Status.SHIPPED,
    "confirmed": Status.SHIPPED,
    "completed": Status.SHIPPED,
}
EVERYTHING: tuple[type[Event], ...] = (*REACHED, *UNDONE_BY, CancellationRefused, OrderStalled, StepFailed)


@when(*EVERYTHING)
def note_progress(events: Sequence[Event]) -> None:
    """Write the timeline, and move status and saga on, of all orders in the message, in one transaction."""
    with recording("orders"):
        orders = locked([event.ref for event in events])
        events = [
            event for event in events if event.ref.id in orders
        ]  # an order nobody placed: nothing to keep
        TimelineEntry.objects.bulk_create(
            (_entry(orders[event.ref.id], event) for event in events), ignore_conflicts=True
        )
        for event in events:
            _move(orders[event.ref.id], event)
        save_all(orders.values(), ["status", "cancellation_refused"])
        save_all(
            [order.saga for order in orders.values()],
            ["state", "step", "undo", "attempt", "moved_at", "deadline", "last_error", "reason"],
        )


def _move(order: Order, event: Event) -> None:
    saga = order.saga
    if isinstance(event, StepFailed):
        if event.at >= saga.moved_at and saga.state != Saga.State.ENDED:
            saga.last_error = f"{event.operation}: {event.error}"
        return
    if isinstance(event, OrderStalled):
        return
    if isinstance(event, CancellationRefused):
        order.cancellation_refused, saga.undo = True, ""
    elif type(event) in REACHED:
        saga.step = max(saga.step, REACHED[type(event)], key=STEPS.index)
    elif not (isinstance(event, CancellationRequested) and order.cancellation_refused):
        saga.undo = max(saga.undo, UNDONE_BY[type(event)], key=UNDONE.index)
    if not order.ended:
        order.status = Status.CANCELLING if saga.undo else SHOWN_AS[saga.step]
    if saga.undo == "notified":
        saga.state = Saga.State.ENDED
    if saga.state == Saga.State.ENDED:
        saga.deadline = None
        return
    saga.state, saga.attempt, saga.deadline = Saga.State.RUNNING, 0, deadline_after()
    saga.moved_at = max(saga.moved_at, event.at)
    saga.reason = (saga.reason or _why_undone(event)) if saga.undo else ""
    saga.last_error = ""


def _why_undone(event: Event) -> str:
    if isinstance(event, PaymentFailed | ShippingFailed | InventoryRejected):
        return event.reason[:300]
    return f"cancelled by {event.by}" if isinstance(event, CancellationRequested) else ""


def _entry(order: Order, event: Event) -> TimelineEntry:
    trouble = isinstance(event, StepFailed | OrderStalled)
    return TimelineEntry(
        order=order,
        event_id=event.id,
        at=event.at,
        service=event.operation.partition(".")[0] if isinstance(event, StepFailed) else event.owner(),
        event=type(event).__name__,
        kind=Kind.TROUBLE if trouble else Kind.UNDO if type(event) in UNDONE_BY else Kind.FORWARD,
        text=_in_words(event)[:500],
    )


def _in_words(event: Event) -> str:
    match event:
        case OrderCreated():
            return f"placed: {event.line_count} lines, {show(event.total_minor, event.currency)}, {event.ref.style}"
        case InventoryReserved():
            return f"stock set aside in {', '.join(event.warehouses)}"
        case InventoryRejected():
            return f"refused, {event.reason}: {', '.join(event.skus)}"
        case PaymentProcessed():
            return f"charged {show(event.amount_minor, event.currency)}"
        case PaymentFailed() | ShippingFailed():
            return f"refused: {event.reason}"
        case PaymentRefunded():
            refunded = f"refunded {show(event.amount_minor, event.currency)}"
            return refunded if event.amount_minor else "nothing had been charged"
        case ParcelPlanned():
            return f"a parcel from {event.warehouse}"
        case LabelCreated():
            return f"label for the parcel from {event.warehouse}: {event.tracking}"
        case OrderShipped():
            return f"handed over to the carrier: {', '.join(event.tracking)}"
        case CancellationRequested():
            return f"cancellation requested by {event.by}"
        case CancellationRefused():
            return "cancellation refused: the parcels have left"
        case OrderCancelled():
            return f"cancelled: {event.reason}"
        case OrderStalled():
            return f"no progress since {event.step!r}; taken up again"
        case StepFailed():
            next_step = "parked for a person" if event.parked else "to be tried again"
            return f"{event.operation} failed, {next_step}: {event.error}"
        case _:
            return FIXED_WORDS[type(event)]


FIXED_WORDS: dict[type[Event], str] = {
    ConfirmationSent: "the customer was told that it is on its way",
    OrderCompleted: "completed",
    StockDispatched: "the stock has left the warehouses",
    ShippingStopped: "shipping stopped, labels void",
    InventoryReleased: "stock put back",
    CancellationNoticeSent: "the customer was told that it is cancelled",
}
