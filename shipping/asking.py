"""What the carrier is asked for orders: which labels, and which it is to make void before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from orders.lookups import DeliveryAddress
from shipping.carrier import Address, LabelRequest, Voided, carrier
from shipping.models import Shipment
from shipping.plans import Plan
from shop.base.lookups import ask
from shop.messaging.events import Ref
from shop.messaging.outcomes import Fault

State = Shipment.State


def label_requests(
    refs: Sequence[Ref], plans: Mapping[UUID, Plan], warehouse: str | None
) -> dict[UUID, list[LabelRequest]]:
    """Of an order that has been refused or stopped meanwhile, the carrier is asked for nothing more."""
    wanted = {
        ref: parcels
        for ref in refs
        if plans[ref.id].state == State.PLANNED and (parcels := plans[ref.id].unlabelled(warehouse))
    }
    if not wanted:
        return {}
    addresses: Mapping[UUID, DeliveryAddress] = ask(DeliveryAddress, {ref.id for ref in wanted})
    return {
        ref.id: [
            LabelRequest(
                key=parcel.key,
                order_number=ref.number,
                warehouse=parcel.warehouse,
                address=Address(**msgspec.structs.asdict(addresses[ref.id])),
            )
            for parcel in parcels
        ]
        for ref, parcels in wanted.items()
    }


def void_withdrawn(plans: Mapping[UUID, Plan]) -> dict[UUID, Fault]:
    """See to it that nothing leaves under keys that were withdrawn. Returns the orders for which the carrier did not."""
    keys = {
        key: id for id, plan in plans.items() for parcel in plan.parcels for key in parcel.withdrawn.split()
    }
    faults = {
        id: Fault("The carrier has not made the label with the old address void yet.") for id in keys.values()
    }
    left = {id: {key for key, of in keys.items() if of == id} for id in faults}
    for group in carrier().void(list(keys)) if keys else ():
        for key, answer in group.items():
            if isinstance(answer, Voided):
                left[keys[key]].discard(key)
            elif isinstance(answer, Fault):
                faults[keys[key]] = answer
    return {id: faults[id] for id, unvoided in left.items() if unvoided}
