"""Holding off labels while the order gets another address.

A label may have been asked for already, with an unknown outcome, and it would bear the old address. So its key is
withdrawn: no answer to it is noted any more, it is void at the carrier before another label is asked for, and no parcel
ever leaves under it. Once a label is noted it is too late.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from shipping.models import Parcel, Shipment, new_key
from shop.base.databases import alias_of
from shop.base.holds import FORGOTTEN_AFTER, BeingCorrected, InUse
from shop.messaging.events import Ref

State = Shipment.State
CORRECTED = "Somebody is correcting it at this moment: look again in a minute."
LABELLED = "A label with the old address is made already: cancel the order, or let it go."
WHY_NOT: dict[str, str] = {
    State.LABELLED: LABELLED,
    State.HANDING_OVER: "The parcels are on their way already.",
    State.HANDED_OVER: "The parcels are on their way already.",
    State.HELD: CORRECTED,
}
UNDONE = "The order is being undone: nothing will leave."


class AddressHolder:
    def in_use(self, order_id: UUID) -> str:
        state = Shipment.objects.filter(pk=order_id).values_list("state", flat=True).first()
        if state == State.PLANNED:
            return LABELLED if _labelled(order_id) else ""
        return WHY_NOT.get(state, UNDONE) if state else ""

    def hold(self, ref: Ref) -> None:
        let_go_of_forgotten([ref.id])
        with transaction.atomic(using=alias_of("shipping")):
            if Shipment.begin([{"order_id": ref.id, "number": ref.number, "state": State.HELD}]):
                return
            # Who notes a label, or hands over, or stops, has this lock, too.
            held = Shipment.objects.select_for_update().filter(pk=ref.id, state=State.PLANNED)
            if not held or _labelled(ref.id):
                raise InUse(self.in_use(ref.id) or CORRECTED)
            for parcel in Parcel.objects.filter(shipment=ref.id):
                parcel.withdrawn = f"{parcel.withdrawn} {parcel.key}".strip()
                parcel.key = new_key()
                parcel.save(update_fields=["key", "withdrawn"])
            Shipment.advance([ref], State.PLANNED, State.HELD)

    def let_go(self, order_id: UUID) -> bool:
        return bool(_let_go(Shipment.objects.filter(pk=order_id)))


def let_go_of_forgotten(order_ids: Iterable[UUID]) -> None:
    """Whoever held these off may have died over it; what they corrected, or not, holds."""
    _let_go(Shipment.objects.filter(pk__in=order_ids, updated_at__lt=Now() - FORGOTTEN_AFTER))


def being_corrected(order_id: UUID) -> BeingCorrected:
    """The fault of an order that is held off."""
    let_go_of_forgotten([order_id])
    return BeingCorrected("Its address is being corrected.")


def _labelled(order_id: UUID) -> bool:
    return Parcel.objects.filter(shipment=order_id).exclude(state=Parcel.State.PLANNED).exists()


def _let_go(shipments: QuerySet[Shipment]) -> int:
    """Where nothing was planned yet the rows go. Returns how many were held."""
    with transaction.atomic(using=alias_of("shipping")):
        held = set(shipments.filter(state=State.HELD).select_for_update().values_list("pk", flat=True))
        planned = (
            set(Parcel.objects.filter(shipment__in=held).values_list("shipment_id", flat=True))
            if held
            else set()
        )
        Shipment.objects.filter(pk__in=planned).update(state=State.PLANNED, updated_at=Now())
        Shipment.objects.filter(pk__in=held - planned).delete()
        return len(held)
