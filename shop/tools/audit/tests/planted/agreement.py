"""Services and timelines that tell another story than the order."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db.models import F
from django.utils import timezone

from inventory.models import Reservation, ReservationLine, Stock
from orders.models import Order, Saga, TimelineEntry
from payments.models import Payment
from shipping.models import Shipment
from shop.tools.audit.tests.planted.world import World, planted


@planted
def payments_disagrees(world: World) -> list[str]:
    Payment.objects.filter(pk=world.completed.uuid).update(state="pending")
    return [f"{world.completed.number} is completed, but its payment is pending."]


@planted
def shipping_disagrees(world: World) -> list[str]:
    Shipment.objects.filter(pk=world.cancelled.uuid).update(state="handing_over")
    return [f"{world.cancelled.number} is cancelled, but its shipment is handing over."]


@planted
def inventory_knows_nothing(world: World) -> list[str]:
    lines = ReservationLine.objects.filter(reservation=world.completed.uuid)
    lines.delete()
    Reservation.objects.filter(pk=world.completed.uuid).delete()
    Stock.objects.update(on_hand=F("on_hand") + 2)
    return [
        f"{world.completed.number} has parcels from LON, MAN, but its stock is from nowhere.",
        f"{world.completed.number} is completed, but it has no reservation.",
    ]


@planted
def an_end_without_a_time(world: World) -> list[str]:
    Order.objects.filter(pk=world.completed.pk).update(ended_at=None)
    return [f"{world.completed.number} is completed, but has no time of its end."]


@planted
def a_saga_that_ended_early(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).update(state="ended")
    return [f"{world.running.number} is paid, but its saga has ended."]


@planted
def a_saga_that_goes_on(world: World) -> list[str]:
    soon = timezone.now() + timedelta(minutes=1)
    Saga.objects.filter(order=world.completed).update(state="running", deadline=soon)
    return [f"{world.completed.number} is completed, but its saga is running."]


@planted
def an_event_told_twice(world: World) -> list[str]:
    tell(world.running, "PaymentProcessed")
    tell(world.running, "PaymentProcessed")
    return [f"{world.running.number} has PaymentProcessed 2 times in its timeline."]


@planted
def an_end_not_told(world: World) -> list[str]:
    TimelineEntry.objects.filter(order=world.completed, event="OrderCompleted").delete()
    return [f"{world.completed.number} is completed, but its timeline has no OrderCompleted."]


@planted
def a_row_of_no_order(world: World) -> list[str]:
    Shipment.objects.create(order_id=uuid4(), number="S-1", state="stopped")
    return ["S-1 is no order, but shipping has a row for it."]


def tell(order: Order, event: str) -> None:
    TimelineEntry.objects.create(
        order=order,
        event_id=uuid4(),
        at=timezone.now(),
        service="orders",
        event=event,
        kind="forward",
        text="x",
    )
