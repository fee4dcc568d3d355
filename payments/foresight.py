"""What payments can say before it acts: which money would move, and which has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from orders.lookups import AmountDue
from payments import services
from payments.models import Payment
from shop.base.effects import Effects, foresees
from shop.base.lookups import ask
from shop.base.money import show

State = Payment.State
NEVER: dict[str, str] = {
    State.REFUNDING: "The payment is being undone: nothing is charged any more.",
    State.VOID: "The order was stopped before it was paid: nothing is charged any more.",
}


@foresees(services.take_payment)
def charges(order_ids: Collection[UUID]) -> Mapping[UUID, Effects]:
    amounts: Mapping[UUID, AmountDue] = ask(AmountDue, order_ids)
    known = {payment.pk: payment for payment in Payment.objects.filter(pk__in=order_ids)}
    return {
        order_id: _charge(known.get(order_id), show(due.amount_minor, due.currency))
        for order_id, due in amounts.items()
    }


@foresees(services.refund_payment)
def refunds(order_ids: Collection[UUID]) -> Mapping[UUID, Effects]:
    return {payment.pk: _refund(payment) for payment in Payment.objects.filter(pk__in=order_ids)}


def _charge(payment: Payment | None, due: str) -> Effects:
    if payment is None or payment.state == State.HELD:
        return Effects(outside=(f"A charge of {due} at the payment provider.",))
    at, key = f"{payment.updated_at:%d %B, %H:%M:%S} UTC", f"key {payment.charge_key[:8]}…"
    if payment.state == State.PENDING:
        asked = f"A charge of {due} was begun under {key}; what became of it is not known."
        return Effects(
            (asked,), (f"It is asked for again under the same key: {due} is charged once at most.",)
        )
    said: dict[str, str] = {
        State.CHARGED: f"{due} was charged at {at} under {key}: it is not charged again.",
        State.FAILED: f"The charge was refused at {at} ({payment.reason}): it is not asked for again.",
        State.REFUNDED: f"{show(payment.refunded_minor, payment.currency)} was given back at {at}: nothing is "
        "charged any more.",
    }
    return Effects((said.get(payment.state, NEVER.get(payment.state, f"The payment is {payment.state}.")),))


def _refund(payment: Payment) -> Effects:
    amount = show(payment.amount_minor, payment.currency)
    at = f"{payment.updated_at:%d %B, %H:%M:%S} UTC"
    if payment.state == State.REFUNDED:
        given_back = show(payment.refunded_minor, payment.currency)
        return Effects((f"{given_back} was given back at {at}: it is not given back again.",))
    if payment.state == State.CHARGED:
        return Effects(
            (f"{amount} was charged at {at}.",), (f"A refund of {amount} at the payment provider.",)
        )
    if payment.state in (State.PENDING, State.REFUNDING):
        settles = f"The provider settles the charge for good: it gives {amount} back, if that was charged."
        return Effects((f"A charge of {amount} was begun.",), (settles,))
    return Effects(("Nothing was charged: there is nothing to give back.",))
