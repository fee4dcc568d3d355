"""What inventory publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shop.messaging.events import Event


class InventoryReserved(Event, frozen=True, kw_only=True):
    """Stock is set aside for every line of the order, in these warehouses."""

    warehouses: Annotated[
        list[str], Meta(description="The codes of the warehouses.", examples=[["NORTH", "SOUTH"]])
    ]

    def in_words(self) -> str:
        return f"stock set aside in {', '.join(self.warehouses)}"


class InventoryRejected(Event, frozen=True, kw_only=True):
    """A refusal: some product is out of stock. Nothing is set aside."""

    reason: Annotated[str, Meta(description="Why, in words for the customer.", examples=["out of stock"])]
    skus: Annotated[list[str], Meta(description="The products that are short.", examples=[["MUG-RED"]])]

    def in_words(self) -> str:
        return f"refused, {self.reason}: {', '.join(self.skus)}"


class InventoryReleased(Event, frozen=True, kw_only=True):
    """The undo: nothing is set aside for the order, and nothing will be. ``held``: something was."""

    held: Annotated[bool, Meta(description="Whether anything had been set aside.")] = True

    def in_words(self) -> str:
        return "stock put back" if self.held else "nothing had been set aside"


class StockDispatched(Event, frozen=True, kw_only=True):
    """What was set aside has left the warehouses."""

    def in_words(self) -> str:
        return "the stock has left the warehouses"
