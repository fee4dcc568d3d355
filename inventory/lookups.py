"""What other services may ask of inventory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from inventory.events import Pick, Picks, Price
from inventory.models import Product, ReservationLine
from shop.messaging.lookups import answers


@answers(Price)
def prices(skus: Collection[str]) -> Mapping[str, Price]:
    products = Product.objects.filter(sku__in=skus, on_sale=True)
    return {p.sku: Price(name=p.name, price_minor=p.price_minor, currency=p.currency) for p in products}


@answers(Picks)
def picks(order_ids: Collection[UUID]) -> Mapping[UUID, Picks]:
    found: dict[UUID, list[Pick]] = defaultdict(list)
    lines = ReservationLine.objects.filter(reservation__in=order_ids)
    for order_id, warehouse, sku, quantity in lines.values_list(
        "reservation_id", "stock__warehouse__code", "stock__product__sku", "quantity"
    ):
        found[order_id].append(Pick(warehouse=warehouse, sku=sku, quantity=quantity))
    return {order_id: Picks(picks=some) for order_id, some in found.items()}
