"""Inventory's answers to what other apps ask of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from inventory.lookups import Price, StockWarehouses
from inventory.models import Product, ReservationLine
from shop.base.lookups import answers


@answers(Price)
def prices(skus: Collection[str]) -> Mapping[str, Price]:
    products = Product.objects.filter(sku__in=skus, on_sale=True)
    return {p.sku: Price(name=p.name, price_minor=p.price_minor, currency=p.currency) for p in products}


@answers(StockWarehouses)
def stock_warehouses(order_ids: Collection[UUID]) -> Mapping[UUID, StockWarehouses]:
    lines = ReservationLine.objects.filter(reservation__in=order_ids).order_by("stock__warehouse__code")
    found: dict[UUID, list[str]] = defaultdict(list)
    for order_id, code in lines.values_list("reservation_id", "stock__warehouse__code").distinct():
        found[order_id].append(code)
    return {order_id: StockWarehouses(codes) for order_id, codes in found.items()}
