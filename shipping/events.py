"""What shipping publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shop.messaging.events import Event


class ParcelsLabelled(Event, frozen=True, kw_only=True):
    """The carrier took all parcels of the order on: the tracking number of each, by the warehouse it leaves from."""

    tracking: Annotated[
        dict[str, str],
        Meta(
            description="Tracking numbers, by the code of the warehouse.",
            examples=[{"NORTH": "SB1", "SOUTH": "SB2"}],
        ),
    ]

    def in_words(self) -> str:
        labels = ", ".join(f"{warehouse}: {number}" for warehouse, number in sorted(self.tracking.items()))
        return f"labels for the parcels from {labels}"


class OrderShipped(Event, frozen=True, kw_only=True):
    """All parcels are in the carrier's hands: the pivot has passed, the order can only be returned."""

    tracking: Annotated[
        list[str], Meta(description="The parcels' tracking numbers.", examples=[["SB1", "SB2"]])
    ]

    def in_words(self) -> str:
        return f"handed over to the carrier: {', '.join(self.tracking)}"


class ShippingFailed(Event, frozen=True, kw_only=True):
    """A refusal: the carrier does not take a parcel. Labels that had been made are void."""

    reason: Annotated[
        str, Meta(description="Why, in words for the customer.", examples=["no delivery to this address"])
    ]

    def in_words(self) -> str:
        return f"refused: {self.reason}"


class ShippingStopped(Event, frozen=True, kw_only=True):
    """The undo: no parcel of the order leaves, now or later. ``void``: how many labels that takes out of use."""

    void: Annotated[int, Meta(description="How many labels that takes out of use.")] = 0

    def in_words(self) -> str:
        labels = f", {self.void} label{'' if self.void == 1 else 's'} void" if self.void else ""
        return f"held back from the carrier{labels}"


class CancellationRefused(Event, frozen=True, kw_only=True):
    """A cancellation came after the pivot: the order goes on."""

    def in_words(self) -> str:
        return "cancellation refused: the parcels have left"
