"""Broken promises, planted one at a time into a shop that keeps them, each with the sentences that must name it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connections
from django.db.models import F, Model
from django.utils import timezone

from inventory.models import Inbox as InventoryInbox
from inventory.models import Receipt, Reservation, ReservationLine, Stock
from notifications.models import Mail, Notification
from orders.models import Order, Saga, TimelineEntry
from payments.gateway import Charge, Refund, gateway
from payments.models import Payment
from shipping.carrier import LabelRequest, carrier
from shipping.models import Parcel, Shipment
from shop.messaging.tables import database_of
from shop.tests.consistent import ADDRESS, Shelf

Plant = Callable[["World"], list[str]]
PLANTED: list[Plant] = []


def planted(plant: Plant) -> Plant:
    PLANTED.append(plant)
    return plant


@dataclass
class World:
    """A shop in which every promise is kept: one order of each kind."""

    shelf: Shelf
    completed: Order
    cancelled: Order
    running: Order


@planted
def stock_that_nobody_delivered(world: World) -> list[str]:
    Stock.objects.filter(product__sku="P0").update(on_hand=F("on_hand") + 1)
    return ["Stock of P0 in LON: 99,999 on hand, though 100,000 came in and 2 left."]


@planted
def stock_reserved_for_nobody(world: World) -> list[str]:
    Stock.objects.filter(product__sku="P1").update(reserved=F("reserved") + 1)
    return ["Stock of P1 in MAN: 3 reserved, though orders hold 2."]


@planted
def more_reserved_than_there_is(world: World) -> list[str]:
    without_constraint(Stock, "stock_never_oversold")
    Stock.objects.filter(product__sku="P0").update(on_hand=1)
    Receipt.objects.filter(stock__product__sku="P0").update(quantity=3)
    return ["Stock of P0 in LON: 2 reserved of 1 on hand."]


@planted
def a_unit_too_few(world: World) -> list[str]:
    ReservationLine.objects.filter(reservation=world.completed.uuid, stock__product__sku="P0").update(
        quantity=1
    )
    Stock.objects.filter(product__sku="P0").update(on_hand=F("on_hand") + 1)
    return [f"{world.completed.number} was given 1 of P0 instead of 2 of P0."]


@planted
def completed_with_stock_still_reserved(world: World) -> list[str]:
    still_reserved(world.completed)
    return [f"{world.completed.number} is completed, but its reservation is reserved."]


@planted
def cancelled_with_stock_still_reserved(world: World) -> list[str]:
    Reservation.objects.filter(pk=world.cancelled.uuid).update(state="reserved")
    Stock.objects.update(reserved=F("reserved") + 2)
    return [f"{world.cancelled.number} is cancelled, but its reservation is reserved."]


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
    gateway().refund([Refund(uuid4().hex, key)])
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


@planted
def a_parked_saga(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).update(state="parked", deadline=None, last_error="carrier: no")
    return [f"{world.running.number} waits for a person since it was paid: carrier: no"]


@planted
def a_parked_delivery(world: World) -> list[str]:
    InventoryInbox.objects.create(
        event_id=uuid4(),
        receiver="inventory.dispatch_stock",
        type="OrderShipped",
        order_id=world.completed.uuid,
        number=world.completed.number,
        state="parked",
        error="ValueError: no",
    )
    who = f"{world.completed.number} waits for a person"
    return [f"{who}: inventory.dispatch_stock gave up on OrderShipped: ValueError: no"]


@planted
def no_deadline(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).update(deadline=None)
    return [f"{world.running.number} is neither at an end nor has it a deadline."]


@planted
def long_past_its_deadline(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).update(deadline=timezone.now() - timedelta(seconds=31))
    return [f"{world.running.number} is 3[1-9] s past its deadline."]


@planted
def no_saga(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).delete()
    return [f"{world.running.number} has no saga."]


@planted
def a_parcel_that_never_left(world: World) -> list[str]:
    parcel_of(world.completed).update(key=label(world.completed))
    return [
        f"{world.completed.number} is completed, but its parcel from LON was handed over 0 times.",
        f"{world.completed.number} has a parcel at the carrier that shipping does not know.",
    ]


@planted
def a_parcel_too_few(world: World) -> list[str]:
    parcel_of(world.completed).delete()
    return [
        f"{world.completed.number} has parcels from MAN, but its stock is from LON, MAN.",
        f"{world.completed.number} has a parcel at the carrier that shipping does not know.",
    ]


@planted
def a_parcel_noted_as_labelled(world: World) -> list[str]:
    parcel_of(world.completed).update(state="labelled")
    return [f"{world.completed.number} is completed, but its parcel from LON is noted as labelled."]


@planted
def a_cancelled_parcel_that_left(world: World) -> list[str]:
    key = label(world.cancelled)
    carrier().hand_over([key])
    parcel_of(world.cancelled).update(key=key)
    return [
        f"{world.cancelled.number} is cancelled, but its parcel from LON was handed over.",
        f"{world.cancelled.number} has a parcel at the carrier that shipping does not know.",
    ]


@planted
def a_cancelled_parcel_not_void(world: World) -> list[str]:
    parcel_of(world.cancelled).update(key=label(world.cancelled))
    return [
        f"{world.cancelled.number} is cancelled, but its parcel from LON is not void at the carrier.",
        f"{world.cancelled.number} has a parcel at the carrier that shipping does not know.",
    ]


@planted
def a_cancelled_parcel_noted_as_labelled(world: World) -> list[str]:
    parcel_of(world.cancelled).update(state="labelled")
    return [f"{world.cancelled.number} is cancelled, but its parcel from LON is noted as labelled."]


@planted
def two_confirmations(world: World) -> list[str]:
    mail(world.completed, "confirmation", "SomethingElse")
    return [f"{world.completed.number} is completed, but 2 confirmations were sent."]


@planted
def no_confirmation(world: World) -> list[str]:
    Notification.objects.filter(order_id=world.completed.uuid).update(state="pending")
    return [f"{world.completed.number} is completed, but 0 confirmations were sent."]


@planted
def a_completed_order_called_off(world: World) -> list[str]:
    mail(world.completed, "cancellation", "OrderCancelled")
    return [f"{world.completed.number} is completed, but its customer was told that it is cancelled."]


@planted
def a_cancelled_order_announced(world: World) -> list[str]:
    mail(world.cancelled, "confirmation", "OrderShipped")
    return [f"{world.cancelled.number} is cancelled, but its customer was told that it is on its way."]


@planted
def no_cancellation_notice(world: World) -> list[str]:
    Notification.objects.filter(order_id=world.cancelled.uuid).delete()
    return [f"{world.cancelled.number} is cancelled, but 0 cancellation notices were sent."]


@planted
def a_mail_that_is_not_there(world: World) -> list[str]:
    Mail.objects.filter(subject=world.completed.number).delete()
    return [f"{world.completed.number} has a confirmation that counts as sent, but is not in the mailbox."]


@planted
def one_mail_stored_twice(world: World) -> list[str]:
    without_constraint(Notification, "notification_once")
    mail(world.completed, "confirmation", "OrderShipped")
    return [f"{world.completed.number} has 2 mails 'confirmation' for one OrderShipped."]


@planted
def one_mail_delivered_twice(world: World) -> list[str]:
    message_id = Notification.objects.get(order_id=world.completed.uuid).message_id
    without_constraint(Mail, unique_constraint(Mail, "message_id"))
    Mail.objects.create(message_id=message_id, to="x", subject="x", text="")
    return [
        f"{world.completed.number} has a mail that stands 2 times in the mailbox: {re.escape(message_id)}."
    ]


@planted
def payments_disagrees(world: World) -> list[str]:
    Payment.objects.filter(pk=world.completed.uuid).update(state="pending")
    return [f"{world.completed.number} is completed, but its payment is pending."]


@planted
def shipping_disagrees(world: World) -> list[str]:
    Shipment.objects.filter(pk=world.cancelled.uuid).update(state="handing_over")
    return [f"{world.cancelled.number} is cancelled, but its shipment is handing over."]


@planted
def inventory_knows_nothing(world: World) -> list[str]:
    lines = ReservationLine.objects.filter(reservation=world.completed.uuid)
    lines.delete()
    Reservation.objects.filter(pk=world.completed.uuid).delete()
    Stock.objects.update(on_hand=F("on_hand") + 2)
    return [
        f"{world.completed.number} has parcels from LON, MAN, but its stock is from nowhere.",
        f"{world.completed.number} is completed, but it has no reservation.",
    ]


@planted
def an_end_without_a_time(world: World) -> list[str]:
    Order.objects.filter(pk=world.completed.pk).update(ended_at=None)
    return [f"{world.completed.number} is completed, but has no time of its end."]


@planted
def a_saga_that_ended_early(world: World) -> list[str]:
    Saga.objects.filter(order=world.running).update(state="ended")
    return [f"{world.running.number} is paid, but its saga has ended."]


@planted
def a_saga_that_goes_on(world: World) -> list[str]:
    soon = timezone.now() + timedelta(minutes=1)
    Saga.objects.filter(order=world.completed).update(state="running", deadline=soon)
    return [f"{world.completed.number} is completed, but its saga is running."]


@planted
def an_event_told_twice(world: World) -> list[str]:
    tell(world.running, "PaymentProcessed")
    tell(world.running, "PaymentProcessed")
    return [f"{world.running.number} has PaymentProcessed 2 times in its timeline."]


@planted
def an_end_not_told(world: World) -> list[str]:
    TimelineEntry.objects.filter(order=world.completed, event="OrderCompleted").delete()
    return [f"{world.completed.number} is completed, but its timeline has no OrderCompleted."]


@planted
def a_row_of_no_order(world: World) -> list[str]:
    Shipment.objects.create(order_id=uuid4(), number="S-1", state="stopped")
    return ["S-1 is no order, but shipping has a row for it."]


def still_reserved(order: Order) -> None:
    """As it is when the parcels have left and inventory has not heard of it yet."""
    Reservation.objects.filter(pk=order.uuid).update(state="reserved")
    Stock.objects.update(on_hand=F("on_hand") + 2, reserved=F("reserved") + 2)


def charge(order: Order) -> str:
    key = uuid4().hex
    gateway().charge([Charge(key, order.total_minor, "GBP", "pm_card_approved", order.number)])
    return key


def label(order: Order) -> str:
    key = uuid4().hex
    carrier().create_labels([LabelRequest(key, order.number, "LON", ADDRESS)])
    return key


def parcel_of(order: Order) -> Any:
    return Parcel.objects.filter(shipment=order.uuid, warehouse="LON")


def mail(order: Order, template: str, event: str) -> None:
    row = Notification.objects.create(
        order_id=order.uuid, number=order.number, template=template, event=event, state="sent"
    )
    Mail.objects.create(message_id=row.message_id, to="x", subject="x", text="")


def tell(order: Order, event: str) -> None:
    TimelineEntry.objects.create(
        order=order,
        event_id=uuid4(),
        at=timezone.now(),
        service="orders",
        event=event,
        kind="forward",
        text="x",
    )


def without_constraint(model: type[Model], name: str) -> None:
    """The database refuses what is planted next; the test's transaction brings the constraint back."""
    with connections[database_of(model)].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {name}")


def unique_constraint(model: type[Model], column: str) -> str:
    connection = connections[database_of(model)]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return next(
        name
        for name, about in found.items()
        if about["unique"] and about["columns"] == [column] and not about["primary_key"]
    )
