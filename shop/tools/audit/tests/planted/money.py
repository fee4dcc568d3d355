"""Charges and refunds that should not be, or that payments notes otherwise."""

from __future__ import annotations

from uuid import uuid4

from orders.models import Order
from payments.gateway import Charge, Refund, gateway
from payments.models import Payment
from shop.tools.audit.tests.planted.world import World, planted
from tests.providers import merged


@planted
def a_charge_under_another_key(world: World) -> list[str]:
    charge(world.running)
    return [f"{world.running.number} was charged GBP 10.00 under a key that payments does not know."]


@planted
def a_completed_order_never_charged(world: World) -> list[str]:
    Payment.objects.filter(pk=world.completed.uuid).update(charge_key=uuid4().hex)
    return [
        f"{world.completed.number} is completed, but was never charged.",
        f"{world.completed.number} was charged GBP 10.00 under a key that payments does not know.",
    ]


@planted
def another_amount_charged(world: World) -> list[str]:
    Order.objects.filter(pk=world.completed.pk).update(total_minor=1100)
    Payment.objects.filter(pk=world.completed.uuid).update(amount_minor=1100)
    return [f"{world.completed.number} was charged GBP 10.00, but its total is GBP 11.00."]


@planted
def another_amount_noted(world: World) -> list[str]:
    Payment.objects.filter(pk=world.completed.uuid).update(amount_minor=1100)
    return [f"{world.completed.number} costs GBP 10.00, but payments notes GBP 11.00."]


@planted
def a_completed_order_refunded(world: World) -> list[str]:
    key = Payment.objects.get(pk=world.completed.uuid).charge_key
    merged(gateway().refund([Refund(uuid4().hex, key)]))
    return [f"{world.completed.number} is completed, but GBP 10.00 was refunded."]


@planted
def a_cancelled_order_not_refunded(world: World) -> list[str]:
    Payment.objects.filter(pk=world.cancelled.uuid).update(charge_key=charge(world.cancelled))
    return [
        f"{world.cancelled.number} is cancelled, but the provider still holds GBP 10.00 for it.",
        f"{world.cancelled.number} was charged GBP 10.00 under a key that payments does not know.",
    ]


@planted
def another_refund_noted(world: World) -> list[str]:
    Payment.objects.filter(pk=world.cancelled.uuid).update(refunded_minor=1)
    return [f"{world.cancelled.number} was refunded GBP 10.00, but payments notes GBP 0.01."]


@planted
def a_failed_payment_charged(world: World) -> list[str]:
    Payment.objects.filter(pk=world.cancelled.uuid).update(state="failed")
    return [f"{world.cancelled.number} was charged, though payments notes it as failed."]


def charge(order: Order) -> str:
    key = uuid4().hex
    merged(gateway().charge([Charge(key, order.total_minor, "GBP", "pm_card_approved", order.number)]))
    return key
