"""The stock rows an operation changes: always locked in order of their keys, no two operations wait for each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from inventory.models import Stock
from shop.messaging.rows import as_array, execute, update

LOCK = """
    SELECT s.id, w.code, p.sku, s.on_hand, s.reserved
    FROM inventory_stock s
    JOIN inventory_product p ON p.id = s.product_id
    JOIN inventory_warehouse w ON w.id = s.warehouse_id
    WHERE p.sku = ANY(%s::varchar[]) ORDER BY s.id FOR NO KEY UPDATE OF s
"""
SETTLE = """
    WITH lines AS (
        SELECT stock_id, sum(quantity) AS units
        FROM inventory_reservationline WHERE reservation_id = ANY(%s::uuid[]) GROUP BY stock_id
    ), locked AS (
        SELECT s.id, lines.units
        FROM inventory_stock s JOIN lines ON lines.stock_id = s.id ORDER BY s.id FOR NO KEY UPDATE OF s
    )
    UPDATE inventory_stock s SET on_hand = s.on_hand + %s * units, reserved = s.reserved + %s * units
    FROM locked WHERE locked.id = s.id
"""


class Shelf:
    """The stock of some products, locked until the transaction ends.

    ``free``: warehouse -> SKU -> units nobody has set aside. ``keys``: of the rows, by warehouse and SKU.
    """

    def __init__(self, skus: Iterable[str]) -> None:
        self.free: dict[str, dict[str, int]] = defaultdict(dict)
        self.keys: dict[tuple[str, str], int] = {}
        self._on_hand: dict[tuple[str, str], int] = {}
        self._touched: set[tuple[str, str]] = set()
        wanted = set(skus)
        if wanted:
            for key, warehouse, sku, on_hand, reserved in execute(Stock, LOCK, as_array(wanted), fetch=True):
                self.free[warehouse][sku] = on_hand - reserved
                self.keys[warehouse, sku] = key
                self._on_hand[warehouse, sku] = on_hand

    def take(self, units: Mapping[tuple[str, str], int]) -> None:
        """Set units aside, given by warehouse and SKU: nobody else in this transaction gets them."""
        for (warehouse, sku), quantity in units.items():
            self.free[warehouse][sku] -= quantity
        self._touched.update(units)

    def add(self, units: Mapping[tuple[str, str], int]) -> None:
        """Put units that came in on the shelf, given by warehouse and SKU."""
        for (warehouse, sku), quantity in units.items():
            self.free[warehouse][sku] += quantity
            self._on_hand[warehouse, sku] += quantity
        self._touched.update(units)

    def write(self) -> None:
        """Write what was taken and added, each row once."""
        update(
            Stock,
            [
                {
                    "id": self.keys[place],
                    "on_hand": self._on_hand[place],
                    "reserved": self._on_hand[place] - self.free[place[0]][place[1]],
                }
                for place in self._touched
            ],
        )


def settle(order_ids: Collection[UUID], *, on_hand: int, reserved: int) -> None:
    """Change the stock the orders' units were set aside in: by so many, on hand and reserved, for each unit."""
    if order_ids:
        execute(Stock, SETTLE, as_array(order_ids), on_hand, reserved)
