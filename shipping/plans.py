"""What leaves from where for an order: its parcels, as they are read and written for many orders at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple
from uuid import UUID

from shipping.models import Parcel, Shipment
from shop.messaging.events import Ref
from shop.messaging.rows import as_array, execute, update

SHIPMENTS_WITH_THEIR_PARCELS = """
    SELECT s.order_id, s.state, p.key, p.warehouse, p.state, p.tracking, p.withdrawn
    FROM shipping_shipment s LEFT JOIN shipping_parcel p ON p.shipment_id = s.order_id
    WHERE s.order_id = ANY(%s::uuid[]) ORDER BY s.order_id, p.warehouse
"""


class Planned(NamedTuple):
    """A parcel. ``withdrawn``: keys under which labels may have been made for an address that was corrected since."""

    key: str
    warehouse: str
    state: str = Parcel.State.PLANNED
    tracking: str = ""
    withdrawn: str = ""


class Plan(NamedTuple):
    """A shipment's state and its parcels; the tombstone of an undo has none."""

    state: str
    parcels: list[Planned]

    @property
    def labelled(self) -> bool:
        """Whether all parcels have labels, and none is void or gone."""
        states = {parcel.state for parcel in self.parcels}
        return states == {Parcel.State.LABELLED}

    def unlabelled(self, warehouse: str | None) -> list[Planned]:
        """The parcels of this warehouse (None: of all) that have no label yet."""
        return [
            parcel
            for parcel in self.parcels
            if parcel.state == Parcel.State.PLANNED and warehouse in (None, parcel.warehouse)
        ]


def plans_of(refs: Collection[Ref]) -> dict[UUID, Plan]:
    """The plans of the orders that have a shipment, as they are now: nothing is locked."""
    if not refs:
        return {}
    states: dict[UUID, str] = {}
    parcels: dict[UUID, list[Planned]] = defaultdict(list)
    ids = as_array(ref.id for ref in refs)
    for order_id, state, *parcel in execute(Shipment, SHIPMENTS_WITH_THEIR_PARCELS, ids, fetch=True):
        states[order_id] = state
        if None not in parcel:
            parcels[order_id].append(Planned(*parcel))
    return {order_id: Plan(state, parcels[order_id]) for order_id, state in states.items()}


def move(plans: Iterable[Plan], state: Parcel.State) -> None:
    """Write this state into all parcels of the plans."""
    update(Parcel, [{"key": parcel.key, "state": state} for plan in plans for parcel in plan.parcels])
