"""What the carrier would do if one of shipping's operations ran now, and what it has done: said before it is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from shipping import services
from shipping.models import Parcel, Shipment
from shop.base.effects import Effects, foresees


@foresees(services.create_labels)
def labels_made(order_ids: Collection[UUID]) -> Mapping[UUID, Effects]:
    plans = _plans(order_ids)
    return {order_id: _labelling(*plans.get(order_id, ("", ()))) for order_id in order_ids}


@foresees(services.hand_over)
def handed_over(order_ids: Collection[UUID]) -> Mapping[UUID, Effects]:
    return {order_id: _handing_over(*plan) for order_id, plan in _plans(order_ids).items()}


@foresees(services.stop_shipping)
def stopped(order_ids: Collection[UUID]) -> Mapping[UUID, Effects]:
    return {order_id: _stopping(*plan) for order_id, plan in _plans(order_ids).items()}


def _plans(order_ids: Collection[UUID]) -> dict[UUID, tuple[str, list[Parcel]]]:
    """The shipments of these orders: state, and parcels."""
    shipments = Shipment.objects.filter(pk__in=order_ids).prefetch_related("parcels")
    return {shipment.pk: (shipment.state, list(shipment.parcels.all())) for shipment in shipments}


def _labelling(state: str, parcels: Sequence[Parcel]) -> Effects:
    made = tuple(
        f"A label is made for {_named(parcel)}: no other is." for parcel in parcels if parcel.tracking
    )
    if state and state not in (Shipment.State.PLANNED, Shipment.State.HELD):
        return Effects(made or ("The shipment is stopped: no label is made any more.",))
    if not parcels:
        return Effects(made, ("A label at the carrier for each warehouse that the order leaves from.",))
    wanted = [parcel for parcel in parcels if parcel.state == Parcel.State.PLANNED]
    void = (
        ["What was asked for with an old address is made void."] if any(p.withdrawn for p in wanted) else []
    )
    asked = [f"A label at the carrier for {_named(parcel)}: its key makes one at most." for parcel in wanted]
    return Effects(made, (*void, *asked))


def _handing_over(state: str, parcels: Sequence[Parcel]) -> Effects:
    gone = tuple(
        f"Handed over already: {_named(parcel)}."
        for parcel in parcels
        if parcel.state == Parcel.State.HANDED_OVER
    )
    leaving = [_named(parcel) for parcel in parcels if parcel.state == Parcel.State.LABELLED]
    if not leaving or state not in (*services.BEFORE_THE_PIVOT, Shipment.State.HANDING_OVER):
        return Effects(gone)
    return Effects(
        gone, (f"Handed over to the carrier: {'; '.join(leaving)}. Then it can only be returned.",)
    )


def _stopping(state: str, parcels: Sequence[Parcel]) -> Effects:
    if state in services.PAST_THE_PIVOT:
        return Effects(("The parcels are in the carrier's hands: nothing is stopped.",))
    if state in (Shipment.State.STOPPED, Shipment.State.FAILED):
        return Effects(("Everything is void already.",))
    return Effects((), tuple(f"Made void at the carrier: {_named(parcel)}." for parcel in parcels))


def _named(parcel: Parcel) -> str:
    return f"the parcel from {parcel.warehouse}{f' ({parcel.tracking})' if parcel.tracking else ''}"
