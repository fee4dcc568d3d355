"""Inventory's answers to what other apps ask of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from inventory.lookups import Price, StockWarehouses
from inventory.models import Product, ReservationLine
from shop.base.lookups import answers
from shop.messaging.rows import as_array, execute, select

WAREHOUSES = """
    SELECT l.reservation_id, array_agg(DISTINCT w.code ORDER BY w.code)
    FROM inventory_reservationline l
    JOIN inventory_stock s ON s.id = l.stock_id
    JOIN inventory_warehouse w ON w.id = s.warehouse_id
    WHERE l.reservation_id = ANY(%s::uuid[]) GROUP BY l.reservation_id
"""


@answers(Price)
def prices(skus: Collection[str]) -> Mapping[str, Price]:
    products = select(Product, ("sku", "name", "price_minor", "currency", "on_sale"), "sku", skus)
    return {sku: Price(*price) for sku, *price, on_sale in products if on_sale}


@answers(StockWarehouses)
def stock_warehouses(order_ids: Collection[UUID]) -> Mapping[UUID, StockWarehouses]:
    found = execute(ReservationLine, WAREHOUSES, as_array(order_ids), fetch=True)
    return {order_id: StockWarehouses(codes) for order_id, codes in found}
