"""Places the orders of the moments, and waits until they stand where they are to stand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from django.db.models import QuerySet

from inventory.models import Product, Warehouse
from inventory.services import Delivery, receive_stock
from orders.lookups import DeliveryAddress
from orders.models import Order
from orders.placement import PlaceOrder, WantedLine, place_orders
from orders.services import request_cancellation
from shop.messaging.relay import nudge
from tests.upgrade.moment import EACH, LAMP, MUG, SOLD_OUT, STYLES
from tests.upgrade.moments import MOMENTS
from tests.upgrade.position import Position, positions

PATIENCE = 60.0  # s until a moment that is not reached is a failure
UNITS = 500


class Orders:
    """The orders of a shop whose ledgers are in this folder."""

    def __init__(self, database_url: str, ledgers: Path) -> None:
        self._database_url = database_url
        self._ledgers = ledgers

    def place(self, *moments: str, styles: Sequence[str] = STYLES) -> None:
        """Place the orders of these moments, all at once, so that they travel as sets."""
        place_orders(
            [
                _request(moment, style, index)
                for moment in moments
                for style in MOMENTS[moment].styles
                if style in styles
                for index in range(EACH)
            ]
        )

    def until(self, *moments: str, styles: Sequence[str] = STYLES, **at: str | None) -> None:
        """Wait until all orders of these moments stand as described."""
        deadline = time.monotonic() + PATIENCE
        while wrong := [row for row in self._of(moments, styles) if not at.items() <= row.items()]:
            if time.monotonic() > deadline:
                raise AssertionError(f"After {PATIENCE:g} s still not {at}, but {wrong}")
            time.sleep(0.1)

    def reach(self, *moments: str) -> None:
        """Wait until all orders of these moments stand where they are to stand in the dump."""
        for moment in moments:
            for style in MOMENTS[moment].styles:
                self.until(moment, styles=[style], **(MOMENTS[moment].position(style) or {}))

    def cancel(self, moment: str) -> None:
        for order in _orders_of(moment):
            request_cancellation(order.uuid, by="customer")

    def confirm(self, *moments: str) -> None:
        """Have the relay note, of every other order, which of its events have been handled."""
        nudge([order.uuid for moment in moments for order in _orders_of(moment) if order.pk % 2])
        time.sleep(1)

    def _of(self, moments: Sequence[str], styles: Sequence[str]) -> list[Position]:
        rows = positions(self._database_url, self._ledgers)
        return [row for row in rows if row["moment"] in moments and row["style"] in styles]


def take_stock_in() -> None:
    for code in ("NORTH", "SOUTH"):
        Warehouse.objects.create(code=code, name=code.title())
    Product.objects.bulk_create(
        Product(sku=sku, name=f"Product {sku}", price_minor=500) for sku in (LAMP, MUG, SOLD_OUT)
    )
    receive_stock([Delivery(LAMP, "NORTH", UNITS), Delivery(MUG, "SOUTH", UNITS)])


def _orders_of(moment: str) -> QuerySet[Order]:
    return Order.objects.filter(idempotency_key__startswith=f"{moment}/")


def _request(moment: str, style: str, index: int) -> PlaceOrder:
    of_it = MOMENTS[moment]
    return PlaceOrder(
        customer_id=1,
        idempotency_key=f"{moment}/{style}/{index}",
        lines=[WantedLine(sku, 1) for sku in of_it.skus],
        currency="GBP",
        payment_method=f"pm_card_{of_it.card}",
        email="ada@example.invalid",
        address=DeliveryAddress(
            name="Ada Byron",
            line1="12 St James's Sq",
            city="London",
            postcode=of_it.postcode,
            country="GB",
        ),
        style=style,
    )
