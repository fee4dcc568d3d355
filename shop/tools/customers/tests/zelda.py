"""A customer with orders, whose every text is one of a kind, so that it is found wherever it is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from notifications.models import Mail, Notification
from orders.models import Order
from payments.models import Payment
from shipping.models import Parcel

NAME, MAIL, STREET, POSTCODE, CITY = (
    "Zelda Quux",
    "zelda@quux.example",
    "9 Zanzibar Row",
    "ZZ9 9ZZ",
    "Quuxton",
)
METHOD, TRACKING, KEY, USERNAME, NOTED = (
    "pm_zelda_quux",
    "SB-QUUX-1",
    "key-of-zelda",
    "zelda.q",
    "Called Zelda's aunt",
)
HOOK, HOOKS_SECRET = "https://hooks.quux.example/", "whsec_of_zelda"
SEEDED = (NAME, MAIL, STREET, POSTCODE, CITY, METHOD, TRACKING, KEY, USERNAME, NOTED, HOOK)


def own(orders: list[Order], customer: int) -> None:
    """Make these orders this customer's, in every table."""
    kind = ContentType.objects.get_for_model(Order)
    staff, _ = User.objects.get_or_create(username="operator", is_staff=True)
    for order in orders:
        Order.objects.filter(pk=order.pk).update(
            customer_id=customer, name=NAME, email=MAIL, line1=STREET, postcode=POSTCODE, city=CITY,
            payment_method=METHOD, idempotency_key=f"{KEY}-{order.pk}", request_digest="d" * 64,
        )  # fmt: skip
        Payment.objects.filter(order_id=order.uuid).update(method=METHOD, reference=f"ch_{order.pk}")
        Parcel.objects.filter(shipment=order.uuid).update(tracking=TRACKING)
        sent = Notification.objects.get(order_id=order.uuid)
        mail = {
            "to": MAIL,
            "text": f"Dear {NAME}",
            "html": f"<p>{NAME}",
            "subject": f"Your order {order.number}",
        }
        Mail.objects.update_or_create(message_id=sent.message_id, defaults=mail)
        LogEntry.objects.create(
            user=staff, content_type=kind, object_id=str(order.pk), object_repr=order.number,
            action_flag=CHANGE, change_message=f"Note: {NOTED}",
        )  # fmt: skip


def everything() -> Iterator[tuple[str, dict[str, Any]]]:
    """All rows of all tables."""
    for model in apps.get_models():
        for row in model._default_manager.order_by("pk").values():
            yield model._meta.label, row


def rows_that_name(*texts: str) -> set[str]:
    return {label for label, row in everything() if any(text in str(row) for text in texts)}


def books() -> list[Any]:
    """What must stay as it is."""
    plain = (
        "id",
        "uuid",
        "customer_id",
        "style",
        "status",
        "currency",
        "total_minor",
        "country",
        "placed_at",
        "ended_at",
    )
    paid = ("order_id", "state", "amount_minor", "refunded_minor", "reference", "charge_key", "updated_at")
    stock = apps.get_model("inventory", "Stock").objects.order_by("pk").values_list()
    return [
        list(Order.objects.order_by("pk").values_list(*plain)),
        list(Payment.objects.order_by("pk").values_list(*paid)),
        list(stock),
    ]
