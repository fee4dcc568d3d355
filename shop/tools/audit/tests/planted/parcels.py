"""Parcels that left and should not have, or the other way round."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from orders.models import Order
from shipping.carrier import LabelRequest, carrier
from shipping.models import Parcel
from shop.tools.audit.tests.consistent import ADDRESS
from shop.tools.audit.tests.planted.world import World, planted
from tests.providers import merged


@planted
def a_parcel_that_never_left(world: World) -> list[str]:
    parcel_of(world.completed).update(key=label(world.completed))
    return [
        f"{world.completed.number} is completed, but its parcel from LON was handed over 0 times.",
        f"{world.completed.number} has a parcel at the carrier that shipping does not know.",
    ]


@planted
def a_parcel_too_few(world: World) -> list[str]:
    parcel_of(world.completed).delete()
    return [
        f"{world.completed.number} has parcels from MAN, but its stock is from LON, MAN.",
        f"{world.completed.number} has a parcel at the carrier that shipping does not know.",
    ]


@planted
def a_parcel_noted_as_labelled(world: World) -> list[str]:
    parcel_of(world.completed).update(state="labelled")
    return [f"{world.completed.number} is completed, but its parcel from LON is noted as labelled."]


@planted
def a_label_with_an_old_address(world: World) -> list[str]:
    parcel_of(world.completed).update(withdrawn=label(world.completed))
    parcel = f"{world.completed.number} has a label with an old address for its parcel from LON"
    return [f"{parcel}, and it is not void at the carrier."]


@planted
def a_parcel_that_left_for_an_old_address(world: World) -> list[str]:
    key = label(world.completed)
    merged(carrier().hand_over([key]))
    parcel_of(world.completed).update(withdrawn=key)
    return [
        f"{world.completed.number} has a label with an old address for its parcel from LON, and it was handed over."
    ]


@planted
def a_cancelled_parcel_that_left(world: World) -> list[str]:
    key = label(world.cancelled)
    merged(carrier().hand_over([key]))
    parcel_of(world.cancelled).update(key=key)
    return [
        f"{world.cancelled.number} is cancelled, but its parcel from LON was handed over.",
        f"{world.cancelled.number} has a parcel at the carrier that shipping does not know.",
    ]


@planted
def a_cancelled_parcel_not_void(world: World) -> list[str]:
    parcel_of(world.cancelled).update(key=label(world.cancelled))
    return [
        f"{world.cancelled.number} is cancelled, but its parcel from LON is not void at the carrier.",
        f"{world.cancelled.number} has a parcel at the carrier that shipping does not know.",
    ]


@planted
def a_cancelled_parcel_noted_as_labelled(world: World) -> list[str]:
    parcel_of(world.cancelled).update(state="labelled")
    return [f"{world.cancelled.number} is cancelled, but its parcel from LON is noted as labelled."]


def label(order: Order) -> str:
    key = uuid4().hex
    merged(carrier().create_labels([LabelRequest(key, order.number, "LON", ADDRESS)]))
    return key


def parcel_of(order: Order) -> Any:
    return Parcel.objects.filter(shipment=order.uuid, warehouse="LON")
