"""A row of every kind the admin lists, with values as long as people and programs make them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.utils import timezone
from knox.models import AuthToken

from inventory.models import Product, Receipt, Reservation, ReservationLine, Stock, Warehouse
from notifications.models import Mail, Notification
from orders.models import Order
from orders.webhooks.kinds import KINDS
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from payments.models import Payment
from shipping.models import Parcel, Shipment

LONG_WORD = "cancellation-of-everything-there-is-and-then-some/" * 3
ERROR = f"payments.take_payment: https://payments.example/v1/charges/{LONG_WORD} answered 503 after 10.0 s"
HTML = '<body style="font-family: sans-serif"><p style="color: green">Your order is on its way.</p></body>'


def one_of_each(order: Order, user: User) -> None:
    """Make them; the order is there, with its saga and its event."""
    order.saga.state, order.saga.last_error, order.saga.attempt = "parked", ERROR, 8
    order.saga.save()
    Order.objects.filter(pk=order.pk).update(
        name="Wolfeschlegelsteinhausenbergerdorff Maria-Magdalena",
        email=f"{'grace' * 12}@mail.example.invalid",
    )
    _of_the_apps(order.uuid, order.number)
    for service in settings.SERVICES:
        _boxes(service, order.uuid, order.number)
    Group.objects.create(name="Those who may look at everything, and press a button now and then")
    AuthToken.objects.create(user)


def _of_the_apps(order_id: UUID, number: str) -> None:
    of_order: dict[str, Any] = {"order_id": order_id, "number": number}
    warehouse, _ = Warehouse.objects.get_or_create(code="NORTH", defaults={"name": "Leeds, by the canal"})
    product = Product.objects.create(
        sku="HEART-T-LIGHT-HOLDER-WHITE-HANGING-85123",
        name="White hanging heart t-light holder " * 4,
        price_minor=295,
    )
    stock = Stock.objects.create(product=product, warehouse=warehouse, on_hand=1_000_000, reserved=4)
    Receipt.objects.create(
        stock=stock, quantity=1_000_000, note="Delivery note 4711-0815/2026 of the second lorry"
    )
    reservation = Reservation.objects.create(
        **of_order, state="rejected", reason=f"Out of stock: {product.name}"
    )
    ReservationLine.objects.create(reservation=reservation, stock=stock, quantity=4)
    webhook = WebhookEndpoint.objects.create(
        customer_id=4711,
        url=f"https://hooks.example.com/{LONG_WORD}",
        kinds=[*KINDS],
        secret="whsec_AAAA",
        state="disabled",
        reason=ERROR[:300],
        failing_since=timezone.now(),
        created_at=timezone.now(),
    )
    WebhookDelivery.objects.create(
        **of_order,
        uuid=uuid4(),
        endpoint=webhook,
        kind=max(KINDS, key=len),
        sequence=7,
        status="cancelling",
        state="failed",
        attempts=20,
        tried_at=timezone.now(),
        status_code=302,
        trouble="answered with a redirect (302), which is not followed",
        happened_at=timezone.now(),
        created_at=timezone.now(),
    )
    Payment.objects.create(
        **of_order,
        state="refunding",
        amount_minor=123_456_789,
        refunded_minor=123_456_789,
        currency="GBP",
        method="pm_card_approved_after_a_challenge",
        reference=f"ch_{uuid4().hex}",
        reason="The card was declined: ask your bank, or pay in another way.",
    )
    shipment = Shipment.objects.create(
        **of_order, state="handing_over", reason=ERROR, refused_cancellation=True
    )
    Parcel.objects.create(
        shipment=shipment, warehouse="NORTH", state="handed_over", tracking="SB123456789012"
    )
    told = Notification.objects.create(
        **of_order,
        template="confirmation",
        event="OrderShipped",
        state="unknown",
        sending_since=timezone.now(),
    )
    Mail.objects.create(
        message_id=told.message_id,
        to=f"{'grace' * 12}@mail.example.invalid",
        subject=f"Your order {number} is on its way",
        text=f"Hello,\nyour order {number} has left our warehouse. {LONG_WORD}",
        html=HTML,
    )


def _boxes(service: str, order_id: UUID, number: str) -> None:
    of_order: dict[str, Any] = {"order_id": order_id, "number": number, "event_id": uuid4()}
    receiver, now = f"{service}.do_what_the_event_asks_for", timezone.now()
    payload = {"ref": {"id": str(order_id), "number": number}, "reason": ERROR, "lines": [1, 2]}
    apps.get_model(service, "Outbox").objects.create(
        **of_order,
        type="CancellationNoticeSent",
        style=settings.STYLES[1],
        payload=payload,
        due_at=now,
        claims=12,
    )
    apps.get_model(service, "Inbox").objects.create(
        **of_order,
        type="CancellationNoticeSent",
        receiver=receiver,
        state="parked",
        attempts=20,
        due_at=now,
        error=ERROR,
        payload=payload,
    )
    apps.get_model(service, "Incident").objects.create(
        **of_order,
        type="CancellationNoticeSent",
        receiver=receiver,
        style=settings.STYLES[1],
        since=now - timedelta(hours=3),
        within=15.0,
    )
    apps.get_model(service, "DeadLetter").objects.create(
        digest=uuid4().hex,
        task=receiver,
        reason=f"Its body is no JSON: {ERROR}",
        message=LONG_WORD * 20,
        times=1234,
    )
