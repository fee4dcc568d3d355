"""The process, whole: each step in the sequence in which it happens and, on the spot, what undoes it.

Whatever knows where an order can stand derives it from here: the orchestrator's score and its mirror, status and saga,
the answer to "why does it not move?", the customer's sentences, the admin's lanes, the ends that the audit expects. A
system check (``orders/checks.py``) says where a service's ``choreography.py`` tells another story.
"""

from __future__ import annotations

from dataclasses import dataclass

from inventory.events import InventoryRejected, InventoryReleased, InventoryReserved, StockDispatched
from notifications.events import CancellationNoticeSent, ConfirmationSent
from orders.events import CancellationRequested, OrderCancelled, OrderCompleted, OrderCreated
from orders.models import Order
from payments.events import PaymentFailed, PaymentProcessed, PaymentRefunded
from shipping.events import OrderShipped, ParcelsLabelled, ShippingFailed, ShippingStopped
from shop.messaging.events import Event
from shop.messaging.tasks import service_of

Status = Order.Status


@dataclass(frozen=True)
class Move:
    """What a service does for an order: ``operation``, after which the order stands at ``position``; ``done`` tells it.

    ``meanwhile``: what the customer reads until then. ``shown_as``: the position in words for staff, its name by default.
    ``owed``: of an undo, what is owed to somebody as long as it is not done.
    """

    position: str
    operation: str
    done: type[Event]
    meanwhile: str
    shown_as: str = ""
    owed: str = ""

    @property
    def service(self) -> str:
        return service_of(self.operation)

    @property
    def words(self) -> str:
        return self.shown_as or self.position


@dataclass(frozen=True)
class Step(Move):
    """A move forward. ``undo`` takes it back; ``refused`` tells that the business said no.

    ``status``: the order's from here on. ``after``: the events it waits for, where that is not just the one of the step
    before; in choreography those two then happen side by side. ``per_warehouse``: it can be done for one warehouse at a
    time, so in parallel; who is the last tells that it is done. ``nothing_to_undo``: there is nothing to take back.
    """

    undo: Move | None = None
    nothing_to_undo: bool = False
    refused: type[Event] | None = None
    status: Order.Status | None = None
    after: tuple[type[Event], ...] = ()
    per_warehouse: bool = False


class Pivot(Step):
    """The step after which an order can only be returned. Its service decides, and says ``CancellationRefused``."""


# fmt: off
PROCESS: tuple[Step, ...] = (
    Step("placed", "orders.place_orders", OrderCreated, "Your order is being placed.", status=Status.PLACED,
         undo=Move("cancelled", "orders.cancel_order", OrderCancelled, "Your order is being cancelled.")),

    Step("reserved", "inventory.reserve_stock", InventoryReserved, "Your products are being set aside.",
         status=Status.RESERVED, refused=InventoryRejected,
         undo=Move("released", "inventory.release_stock", InventoryReleased,
                   "Your order is being cancelled; the products go back on the shelf.", "stock released",
                   owed="release of the reserved stock")),

    Step("paid", "payments.take_payment", PaymentProcessed, "Your payment is being taken.",
         status=Status.PAID, refused=PaymentFailed,
         undo=Move("refunded", "payments.refund_payment", PaymentRefunded,
                   "Your money is being given back.", "payment undone", owed="refund of {total}")),

    Step("labelled", "shipping.create_labels", ParcelsLabelled, "Your parcels are being made ready for the carrier.",
         per_warehouse=True, refused=ShippingFailed,
         undo=Move("stopped", "shipping.stop_shipping", ShippingStopped,
                   "Your order is being held back from the carrier, to be cancelled.", "shipping stopped",
                   owed="void of the parcels' labels")),

    Pivot("shipped", "shipping.hand_over", OrderShipped, "Your parcels are being made ready for the carrier.",
          status=Status.SHIPPED),

    Step("dispatched", "inventory.dispatch_stock", StockDispatched, "Your parcels have left; you are being told."),

    Step("confirmed", "notifications.send_confirmation", ConfirmationSent, "Your parcels have left; you are being told.",
         after=(OrderShipped,)),

    Step("completed", "orders.complete_order", OrderCompleted, "Your parcels have left; the order is being closed.",
         after=(StockDispatched, ConfirmationSent)),
)

# Undoing begins with a wish or a refusal, takes the undos from the last to the first, and ends with telling the customer.
WISH = CancellationRequested
REQUESTED = "requested"
NOTICE = Move("notified", "notifications.send_cancellation_notice", CancellationNoticeSent,
              "Your order is cancelled; you are being told.", "customer told", owed="message to the customer")
# fmt: on

MIRROR: tuple[Move, ...] = (*(step.undo for step in reversed(PROCESS) if step.undo), NOTICE)
DONE_BY: dict[str, type[Event]] = {move.operation: move.done for move in (*PROCESS, *MIRROR)}
OPERATIONS = set(DONE_BY)
FORWARD_OPERATIONS = {step.operation for step in PROCESS}
(BEFORE_THE_PIVOT,) = (PROCESS[i].position for i, step in enumerate(PROCESS[1:]) if isinstance(step, Pivot))
(PER_WAREHOUSE,) = (step for step in PROCESS if step.per_warehouse)
ENDS: dict[str, type[Event]] = {Status.COMPLETED: OrderCompleted, Status.CANCELLED: OrderCancelled}

# Where an order can stand: how far it has come and, while it is being undone, how far that has ("": it is not).
FORWARD = tuple(step.position for step in PROCESS)
BACKWARD = ("", REQUESTED, *(move.position for move in MIRROR))
_STILL_TO_DO: dict[str, tuple[Move, ...]] = {
    **{position: PROCESS[index + 1 :] for index, position in enumerate(FORWARD)},
    **{position: MIRROR[index:] for index, position in enumerate(BACKWARD[1:])},
}


def still_to_do(position: str) -> tuple[Move, ...]:
    """What is left, in sequence, for an order that stands there."""
    return _STILL_TO_DO[position]


def awaited(position: str) -> Move:
    """What an order that stands there waits for; at the last position: that this is noted."""
    last = PROCESS[-1] if position in FORWARD else MIRROR[-1]
    return next(iter(still_to_do(position)), last)


def owed(step: str, undo: str) -> list[str]:
    """What is owed to an order that has come as far as ``step`` and whose undoing as far as ``undo``.

    Of a step that was under way when undoing began nobody knows whether it was done, until its undo says so.
    """
    undone_by = {move.undo: index for index, move in enumerate(PROCESS)}
    reached = FORWARD.index(step)
    found = []
    for move in still_to_do(undo):
        index = undone_by.get(move, 0)
        if move.owed and index <= reached + 1:
            unknown = "" if index <= reached else f", should it have been {PROCESS[index].words}"
            found.append(f"{move.owed}{unknown}")
    return found


def status_at(position: str) -> Order.Status:
    """The status of an order that has come this far. That it is completed, only ``complete_order`` says."""
    until_there = PROCESS[: FORWARD.index(position) + 1]
    return [step.status for step in until_there if step.status][-1]


def _where_it_turns(refusing: Step) -> str:
    """Where a refusal enters the mirror: of what would come before it there, nothing has been done."""
    return next(step.undo.position for step in PROCESS[PROCESS.index(refusing) :] if step.undo)


# Where each event leads an order.
REACHED_BY: dict[type[Event], str] = {step.done: step.position for step in PROCESS}
REFUSED_BY: dict[type[Event], str] = {step.refused: _where_it_turns(step) for step in PROCESS if step.refused}
UNDONE_BY: dict[type[Event], str] = {
    WISH: REQUESTED,
    **REFUSED_BY,
    **{move.done: move.position for move in MIRROR},
}
