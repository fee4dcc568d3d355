"""Units that came from nowhere, went nowhere, or are set aside for nobody."""

from __future__ import annotations

from django.db.models import F

from inventory.models import Receipt, Reservation, ReservationLine, Stock
from orders.models import Order
from shop.tools.audit.tests.planted.world import World, planted, without_constraint


@planted
def stock_that_nobody_delivered(world: World) -> list[str]:
    Stock.objects.filter(product__sku="P0").update(on_hand=F("on_hand") + 1)
    return ["Stock of P0 in LON: 99,999 on hand, though 100,000 came in and 2 left."]


@planted
def stock_reserved_for_nobody(world: World) -> list[str]:
    Stock.objects.filter(product__sku="P1").update(reserved=F("reserved") + 1)
    return ["Stock of P1 in MAN: 3 reserved, though orders hold 2."]


@planted
def more_reserved_than_there_is(world: World) -> list[str]:
    without_constraint(Stock, "stock_never_oversold")
    Stock.objects.filter(product__sku="P0").update(on_hand=1)
    Receipt.objects.filter(stock__product__sku="P0").update(quantity=3)
    return ["Stock of P0 in LON: 2 reserved of 1 on hand."]


@planted
def a_unit_too_few(world: World) -> list[str]:
    ReservationLine.objects.filter(reservation=world.completed.uuid, stock__product__sku="P0").update(
        quantity=1
    )
    Stock.objects.filter(product__sku="P0").update(on_hand=F("on_hand") + 1)
    return [f"{world.completed.number} was given 1 of P0 instead of 2 of P0."]


@planted
def completed_with_stock_still_reserved(world: World) -> list[str]:
    still_reserved(world.completed)
    return [f"{world.completed.number} is completed, but its reservation is reserved."]


@planted
def cancelled_with_stock_still_reserved(world: World) -> list[str]:
    Reservation.objects.filter(pk=world.cancelled.uuid).update(state="reserved")
    Stock.objects.update(reserved=F("reserved") + 2)
    return [f"{world.cancelled.number} is cancelled, but its reservation is reserved."]


def still_reserved(order: Order) -> None:
    """As it is when the parcels have left and inventory has not heard of it yet."""
    Reservation.objects.filter(pk=order.uuid).update(state="reserved")
    Stock.objects.update(on_hand=F("on_hand") + 2, reserved=F("reserved") + 2)
