"""What inventory publishes. All that other apps may import of it."""

from __future__ import annotations

import msgspec

from shop.messaging.events import Event


class InventoryReserved(Event, frozen=True, kw_only=True):
    """Stock is set aside for every line of the order, in these warehouses."""

    warehouses: list[str]


class InventoryRejected(Event, frozen=True, kw_only=True):
    """A refusal: some product is out of stock. Nothing is set aside."""

    reason: str
    skus: list[str]


class InventoryReleased(Event, frozen=True, kw_only=True):
    """The undo: nothing is set aside for the order, and nothing will be."""


class StockDispatched(Event, frozen=True, kw_only=True):
    """What was set aside has left the warehouses."""


class Price(msgspec.Struct, frozen=True):
    """A product on sale: its name, and its price in minor units of the ISO currency. Asked for by SKU."""

    name: str
    price_minor: int
    currency: str


class Pick(msgspec.Struct, frozen=True):
    warehouse: str
    sku: str
    quantity: int


class Picks(msgspec.Struct, frozen=True):
    """What to take from which warehouse for an order. Asked for by order id."""

    picks: list[Pick]

    @property
    def warehouses(self) -> list[str]:
        return sorted({pick.warehouse for pick in self.picks})
