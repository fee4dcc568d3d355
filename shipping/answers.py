"""Shipping's answers to what other apps ask of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from shipping.lookups import Labels
from shipping.models import Parcel
from shop.base.lookups import answers


@answers(Labels)
def labels(order_ids: Collection[UUID]) -> Mapping[UUID, Labels]:
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = Parcel.objects.filter(shipment__in=order_ids).exclude(tracking="").order_by("warehouse")
    for order_id, warehouse in rows.values_list("shipment_id", "warehouse"):
        found[order_id].append(warehouse)
    return {order_id: Labels(codes) for order_id, codes in found.items()}
