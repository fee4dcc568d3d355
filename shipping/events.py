"""What shipping publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from shop.messaging.events import Event


class ParcelPlanned(Event, frozen=True, kw_only=True):
    """One parcel of the order is to be labelled: the one that leaves from this warehouse."""

    warehouse: str

    def in_words(self) -> str:
        return f"a parcel from {self.warehouse}"


class LabelCreated(Event, frozen=True, kw_only=True):
    """The carrier took the parcel of this warehouse on, under this tracking number."""

    warehouse: str
    tracking: str

    def in_words(self) -> str:
        return f"label for the parcel from {self.warehouse}: {self.tracking}"


class OrderShipped(Event, frozen=True, kw_only=True):
    """All parcels are in the carrier's hands: the pivot has passed, the order can only be returned."""

    tracking: list[str]

    def in_words(self) -> str:
        return f"handed over to the carrier: {', '.join(self.tracking)}"


class ShippingFailed(Event, frozen=True, kw_only=True):
    """A refusal: the carrier does not take a parcel. Labels that had been made are void."""

    reason: str

    def in_words(self) -> str:
        return f"refused: {self.reason}"


class ShippingStopped(Event, frozen=True, kw_only=True):
    """The undo: no parcel of the order leaves, now or later."""

    def in_words(self) -> str:
        return "shipping stopped, labels void"


class CancellationRefused(Event, frozen=True, kw_only=True):
    """A cancellation came after the pivot: the order goes on."""

    def in_words(self) -> str:
        return "cancellation refused: the parcels have left"
