"""What others hold of a customer, who have to be asked themselves: by which reference they know it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from payments.models import Payment
from shipping.models import Parcel


def held_outside(order_ids: Collection[UUID]) -> dict[str, list[str]]:
    """By who holds it: the payments' references, the parcels' tracking numbers."""
    payments = Payment.objects.filter(order_id__in=order_ids).exclude(reference="").order_by("pk")
    parcels = Parcel.objects.filter(shipment__in=order_ids).exclude(tracking="").order_by("pk")
    return {
        "the payment provider": list(payments.values_list("reference", flat=True)),
        "the carrier": list(parcels.values_list("tracking", flat=True)),
    }
