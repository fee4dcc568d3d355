"""What other apps may ask of inventory: the answers' types."""

from __future__ import annotations

import msgspec


class Price(msgspec.Struct, frozen=True):
    """A product on sale: its name, and its price in minor units of the ISO currency. Asked for by SKU."""

    name: str
    price_minor: int
    currency: str


class StockWarehouses(msgspec.Struct, frozen=True):
    """The codes of the warehouses an order's stock is set aside in. Asked for by order id."""

    codes: list[str]
