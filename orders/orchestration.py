"""The score: how an order is fulfilled, and undone, when the style is orchestration.

Every link of a chain is a command: a service's operation, called by its published name with a set of orders. It hands
on those that went well; a refused or broken order leaves the set. The chain is only a hint to hurry: how far an order
is stands in its saga row, kept from the events the services publish, and a saga that stalls is played on from there.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from celery import Signature, chain, chord, shared_task

from inventory.events import InventoryRejected
from orders import services
from orders.events import CancellationRequested, OrderCreated, OrderStalled
from orders.models import Saga
from orders.progress import STEPS, UNDONE
from payments.events import PaymentFailed
from shipping.events import CancellationRefused, ShippingFailed
from shipping.lookups import ParcelWarehouses
from shop.messaging.commands import call, decode
from shop.messaging.events import Event, Ref, StepFailed, refs_of
from shop.messaging.lookups import ask
from shop.messaging.subscriptions import when

STYLE = "orchestration"

# (how far an order is, what to do next)
TO_THE_PARCELS = [
    ("placed", "inventory.reserve_stock"),
    ("reserved", "payments.take_payment"),
    ("paid", "shipping.plan_parcels"),
    ("paid", "orders.label_parcels"),  # one task per warehouse, in parallel; then:
]
FROM_THE_PARCELS = [
    ("paid", "shipping.hand_over"),  # the pivot
    ("shipped", "inventory.dispatch_stock"),
    ("shipped", "notifications.send_confirmation"),
    ("confirmed", "orders.complete_order"),
]
MIRROR = [
    ("requested", "shipping.stop_shipping"),
    ("stopped", "payments.refund_payment"),
    ("refunded", "inventory.release_stock"),
    ("released", "orders.cancel_order"),
    ("cancelled", "notifications.send_cancellation_notice"),
]


def play(score: list[tuple[str, str]], refs: Sequence[Ref], since: str) -> Signature:
    """The part of a score that is left for orders that have come as far as ``since``, as a chain."""
    positions = STEPS if since in STEPS else UNDONE
    left = [name for position, name in score if positions.index(position) >= positions.index(since)]
    return chain(*(call(name, refs, given=name is left[0]) for name in left))


def forward(refs: Sequence[Ref], since: str) -> None:
    play(
        TO_THE_PARCELS if since in ("placed", "reserved", "paid") else FROM_THE_PARCELS, refs, since
    ).apply_async()


def backward(refs: Sequence[Ref], since: str) -> None:
    play(MIRROR, refs, since).apply_async()


@shared_task(name="orders.label_parcels", queue="orders")
def label_parcels(encoded: list[list[str]]) -> None:
    """A chord: label the parcels of each warehouse, then hand over. Hand-over itself counts the labels, in its rows."""
    refs = decode(encoded)
    planned = ask(ParcelWarehouses, [ref.id for ref in refs])
    from_warehouse: dict[str, list[Ref]] = defaultdict(list)
    for ref in refs:
        for warehouse in planned[ref.id].codes if ref.id in planned else ():
            from_warehouse[warehouse].append(ref)
    labels = [
        call("shipping.create_label", some, name, joined=True)
        for name, some in sorted(from_warehouse.items())
    ]
    chord(labels, play(FROM_THE_PARCELS, refs, since="paid")).apply_async()


@when(OrderCreated, style=STYLE)
def begin(events: Sequence[OrderCreated]) -> None:
    forward(refs_of(events), since="placed")


@when(InventoryRejected, PaymentFailed, ShippingFailed, CancellationRequested, style=STYLE)
def turn_back(events: Sequence[Event]) -> None:
    entry = {
        CancellationRequested: "requested",
        ShippingFailed: "stopped",
        PaymentFailed: "refunded",
        InventoryRejected: "released",
    }
    for since, refs in grouped((entry[type(event)], event.ref) for event in events):
        backward(refs, since)


@when(CancellationRefused, OrderStalled, style=STYLE)
def play_on(events: Sequence[Event]) -> None:
    """From the saga rows alone, whatever became of earlier chains: each command finds for itself what is done."""
    sagas = Saga.objects.select_related("order").filter(order__uuid__in=[event.ref.id for event in events])
    running = [saga for saga in sagas if saga.state == Saga.State.RUNNING]
    for since, refs in grouped((saga.step, saga.order.ref) for saga in running if not saga.undo):
        forward(refs, since)
    for since, refs in grouped((saga.undo, saga.order.ref) for saga in running if saga.undo):
        backward(refs, since)


@when(StepFailed, style=STYLE)
def try_again_later(events: Sequence[StepFailed]) -> None:
    services.retry_later(events)


def grouped(items: Iterable[tuple[str, Ref]]) -> Iterable[tuple[str, list[Ref]]]:
    groups: dict[str, list[Ref]] = defaultdict(list)
    for key, ref in items:
        groups[key].append(ref)
    return sorted(groups.items())
