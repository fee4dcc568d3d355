"""What an order left behind in shipping and with the carrier; and a carrier that is quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from shipping.carrier import HandedOver, Label, LabelRefused, LabelRequest, Movement, Voided, carrier
from shipping.models import Outbox, Parcel, Shipment
from shop.messaging.outcomes import Fault


def told(ref: Any) -> list[str]:
    return list(Outbox.objects.filter(order_id=ref.id).order_by("id").values_list("type", flat=True))


def state(ref: Any) -> str:
    return Shipment.objects.get(pk=ref.id).state


def parcels(ref: Any) -> list[str]:
    found = Parcel.objects.filter(shipment=ref.id).order_by("warehouse")
    return list(found.values_list("state", flat=True))


def books(ref: Any) -> list[str]:
    keys = set(Parcel.objects.filter(shipment=ref.id).values_list("key", flat=True))
    return [move.kind for move in carrier().ledger() if move.key in keys]


class Decisive:
    """A carrier that answers everything at once, and lets something else happen before it does."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.meanwhile = meanwhile

    def create_labels(
        self, requests: Sequence[LabelRequest]
    ) -> Iterator[dict[str, Label | LabelRefused | Fault]]:
        self.meanwhile()
        if requests:
            yield {request.key: Label(f"SB-{request.key}") for request in requests}

    def void(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        self.meanwhile()
        if keys:
            yield {key: Voided() for key in keys}

    def hand_over(self, keys: Sequence[str]) -> Iterator[dict[str, HandedOver | Fault]]:
        self.meanwhile()
        if keys:
            yield {key: HandedOver() for key in keys}

    def ledger(self) -> Iterator[Movement]:
        return iter(())


class OneAfterTheOther(Decisive):
    """Gives each answer by itself."""

    def create_labels(
        self, requests: Sequence[LabelRequest]
    ) -> Iterator[dict[str, Label | LabelRefused | Fault]]:
        for request in requests:
            yield from super().create_labels([request])

    def void(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        for key in keys:
            yield from super().void([key])

    def hand_over(self, keys: Sequence[str]) -> Iterator[dict[str, HandedOver | Fault]]:
        for key in keys:
            yield from super().hand_over([key])


class LeavesOut(Decisive):
    """Gives no answer for the last parcel of a set."""

    def create_labels(
        self, requests: Sequence[LabelRequest]
    ) -> Iterator[dict[str, Label | LabelRefused | Fault]]:
        return super().create_labels(requests[:-1])

    def void(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        return super().void(keys[:-1])

    def hand_over(self, keys: Sequence[str]) -> Iterator[dict[str, HandedOver | Fault]]:
        return super().hand_over(keys[:-1])
