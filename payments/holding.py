"""Holding off a charge while the order gets another payment method.

Once an intent is stored, the provider may have been asked under its key, and nobody knows what came of it: with another
method a second charge would stand beside the first. So there is one way only: to be there before the intent is. Both are
insertions of the same row, and the database lets in one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from payments.models import Payment, new_key
from shop.base.databases import alias_of
from shop.base.holds import FORGOTTEN_AFTER, InUse
from shop.messaging.events import Ref

State = Payment.State
WHY_NOT: dict[str, str] = {
    State.PENDING: "Taking the payment has begun, and what the provider did is not known for sure: with another method "
    "the customer might be charged twice. Let it end, or cancel the order.",
    State.CHARGED: "It is paid already.",
    State.FAILED: "The payment was refused, and the order is being undone.",
    State.REFUNDING: "The payment is being undone.",
    State.REFUNDED: "The payment is undone.",
    State.VOID: "The order was stopped before it was paid.",
    State.HELD: "Somebody is correcting it at this moment: look again in a minute.",
}


class MethodHolder:
    def in_use(self, order_id: UUID) -> str:
        state = Payment.objects.filter(pk=order_id).values_list("state", flat=True).first()
        return WHY_NOT.get(state, WHY_NOT[State.PENDING]) if state else ""

    def hold(self, ref: Ref) -> None:
        let_go_of_forgotten([ref.id])
        keys = {"charge_key": new_key(), "refund_key": new_key()}
        if not Payment.begin([{"order_id": ref.id, "number": ref.number, "state": State.HELD, **keys}]):
            raise InUse(self.in_use(ref.id) or WHY_NOT[State.HELD])

    def let_go(self, order_id: UUID) -> bool:
        return bool(_let_go(Payment.objects.filter(pk=order_id)))


def let_go_of_forgotten(order_ids: Iterable[UUID]) -> None:
    """Whoever held these off may have died over it; what they corrected, or not, holds."""
    _let_go(Payment.objects.filter(pk__in=order_ids, updated_at__lt=Now() - FORGOTTEN_AFTER))


def _let_go(payments: QuerySet[Payment]) -> int:
    """The rows go: nothing was ever asked for under their keys. Returns how many were there."""
    with transaction.atomic(using=alias_of("payments")):
        held = list(payments.filter(state=State.HELD).select_for_update().values_list("pk", flat=True))
        Payment.objects.filter(pk__in=held).delete()
        return len(held)
