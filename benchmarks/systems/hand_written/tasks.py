"""The five tasks, each one transaction that looks before it writes, and the chain that runs them."""

from __future__ import annotations

import random

import django
from celery import Celery, chain
from celery.signals import worker_ready
from django.db import transaction

from benchmarks.steps import PRODUCTS
from benchmarks.systems.base import READY

app = Celery("hand_written")
app.config_from_object("django.conf:settings", namespace="CELERY")
django.setup()

from django.utils import timezone  # noqa: E402

from benchmarks.systems.hand_written.models import (  # noqa: E402
    Notification,
    Order,
    OrderLine,
    Payment,
    Reservation,
    Shipment,
    Stock,
)


@worker_ready.connect
def say_so(**kwargs: object) -> None:
    print(READY, flush=True)


def place_order() -> int:
    """Store an order of two of the products, and send it on its way; its number."""
    with transaction.atomic():
        order = Order.objects.create(customer=1, total=100)
        skus = random.sample(range(1, PRODUCTS + 1), 2)
        OrderLine.objects.bulk_create(OrderLine(order=order, sku_id=sku, qty=1) for sku in skus)
        transaction.on_commit(lambda: send(order.pk))
    return int(order.pk)


def send(order: int) -> None:
    chain(*(task.si(order) for task in (reserve, charge, ship, notify, complete))).apply_async()


@app.task
@transaction.atomic
def reserve(number: int) -> None:
    order = Order.objects.select_for_update().get(pk=number)
    if Reservation.objects.filter(order=order).exists():
        return
    for line in order.lines.order_by("sku_id"):
        stock = Stock.objects.select_for_update().get(pk=line.sku_id)
        if stock.available < line.qty:
            raise RuntimeError("out of stock")
        stock.available -= line.qty
        stock.reserved += line.qty
        stock.save()
        Reservation.objects.create(order=order, sku_id=line.sku_id, qty=line.qty)


@app.task
@transaction.atomic
def charge(number: int) -> None:
    order = Order.objects.get(pk=number)
    Payment.objects.get_or_create(order=order, defaults={"amount": order.total})


@app.task
@transaction.atomic
def ship(number: int) -> None:
    order = Order.objects.get(pk=number)
    Shipment.objects.get_or_create(order=order, defaults={"label": f"LBL{number}"})


@app.task
@transaction.atomic
def notify(number: int) -> None:
    order = Order.objects.get(pk=number)
    Notification.objects.get_or_create(order=order, kind="confirmation")


@app.task
@transaction.atomic
def complete(number: int) -> None:
    order = Order.objects.select_for_update().get(pk=number)
    if order.completed_at is None:
        order.status = 9
        order.completed_at = timezone.now()
        order.save()
