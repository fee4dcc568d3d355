"""Correcting what a customer gave, before the step that needs it: the address, the payment method.

What is entered must be as the API wants it. The step's service holds it off meanwhile (``shop/base/holds.py``), so that
it runs either with what was there before, and the correction is refused, or with what was entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import transaction
from rest_framework.serializers import Serializer

from orders.api.serializers import AddressSerializer, PaymentMethodSerializer
from orders.lookups import AmountDue, DeliveryAddress
from orders.models import Order, Saga
from orders.process import FORWARD, PROCESS, awaited
from shop.base.databases import alias_of
from shop.base.holds import InUse, held_off, user_of


@dataclass(frozen=True)
class Correction:
    """``what`` is corrected, with which ``button``; ``reads``: its fields and their kinds; ``lookup``: who asks."""

    what: str
    button: str
    help: str
    reads: type[Serializer]
    lookup: type[Any]

    @property
    def fields(self) -> list[str]:
        """Called as the order's are."""
        return list(self.reads().fields)


CORRECTIONS = {
    "address": Correction(
        "address",
        "Correct address",
        "Where the parcels go. It can be corrected until a label is made for one of them.",
        AddressSerializer,
        DeliveryAddress,
    ),
    "payment-method": Correction(
        "payment method",
        "Other payment method",
        "A token of the payment provider. It can be changed until the payment has begun: after that, another one might "
        "charge the customer twice.",
        PaymentMethodSerializer,
        AmountDue,
    ),
}


def too_late(correction: Correction, saga: Saga) -> str:
    """Why it makes no sense any more, as far as orders knows; empty: it may. The step's service knows for sure."""
    if saga.state == Saga.State.ENDED:
        return "The order is at its end."
    if saga.undo:
        return "The order is being undone."
    needed = [step.operation for step in PROCESS].index(user_of(correction.lookup).operation)
    return "" if FORWARD.index(saga.step) < needed else f"The step that needs the {correction.what} is done."


def why_not(correction: Correction, order: Order) -> str:
    """Why it would be refused now; empty: it would not be."""
    return too_late(correction, order.saga) or user_of(correction.lookup).holder.in_use(order.uuid)


def helping(order: Order) -> str:
    """Which correction may help an order that is parked, by its name in ``CORRECTIONS``: what the step that fails needs,
    as long as it would not be refused. Empty: none.
    """
    waits_for = awaited(order.saga.position).operation
    return next(
        (
            name
            for name, correction in CORRECTIONS.items()
            if user_of(correction.lookup).operation == waits_for and not why_not(correction, order)
        ),
        "",
    )


class Corrected(NamedTuple):
    """The names of the ``fields`` that are different now. ``doubtful``: the order went on at that very moment."""

    fields: list[str]
    doubtful: bool = False


def correct(correction: Correction, order: Order, values: Mapping[str, str]) -> Corrected:
    """Write the values, checked before, into the order.

    Raises:
        InUse: it is too late, as a sentence says; nothing was written.
    """
    if not _different(order, values):
        return Corrected([])
    with held_off(correction.lookup, order.ref) as hold, transaction.atomic(using=alias_of("orders")):
        fresh = Order.objects.select_for_update().get(pk=order.pk)
        saga = Saga.objects.select_for_update().get(order=fresh)
        if why := too_late(correction, saga):
            raise InUse(why)
        changed = _different(fresh, values)
        for name in changed:
            setattr(fresh, name, values[name])
        fresh.save(update_fields=changed)
    return Corrected(changed, doubtful=not hold.kept)


def _different(order: Order, values: Mapping[str, str]) -> list[str]:
    return [name for name, value in values.items() if getattr(order, name) != value]
