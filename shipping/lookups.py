"""What other services may ask of shipping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from shipping.events import PlannedParcels
from shipping.models import Parcel
from shop.messaging.lookups import answers


@answers(PlannedParcels)
def planned_parcels(order_ids: Collection[UUID]) -> Mapping[UUID, PlannedParcels]:
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = Parcel.objects.filter(shipment__in=order_ids).order_by("warehouse")
    for order_id, warehouse in rows.values_list("shipment_id", "warehouse"):
        found[order_id].append(warehouse)
    return {order_id: PlannedParcels(warehouses=warehouses) for order_id, warehouses in found.items()}
