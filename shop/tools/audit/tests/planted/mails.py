"""Mails that are missing, wrong, or there twice."""

from __future__ import annotations

import re

from django.db import connections
from django.db.models import Model

from notifications.models import Mail, Notification
from orders.models import Order
from shop.messaging.tables import database_of
from shop.tools.audit.tests.planted.world import World, planted, without_constraint


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


def mail(order: Order, template: str, event: str) -> None:
    row = Notification.objects.create(
        order_id=order.uuid, number=order.number, template=template, event=event, state="sent"
    )
    Mail.objects.create(message_id=row.message_id, to="x", subject="x", text="")


def unique_constraint(model: type[Model], column: str) -> str:
    connection = connections[database_of(model)]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return next(
        name
        for name, about in found.items()
        if about["unique"] and about["columns"] == [column] and not about["primary_key"]
    )
