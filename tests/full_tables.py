"""Tables as full as after a hundred thousand orders, by set SQL: a row or more of each in every service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, router

from inventory.models import Product, Reservation, ReservationLine, Stock, Warehouse
from notifications.models import Mail, Notification
from orders.models import Order, OrderLine, Saga, TimelineEntry
from orders.process import FORWARD
from orders.webhooks.models import WebhookDelivery
from payments.models import Payment
from shipping.models import Parcel, Shipment

EVENTS = 3  # of each order in the timeline
# In SQL, of the order ``i``: most are completed, some are cancelled, and a few are on their way, or parked.
UUID = "(lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000')::uuid"
NUMBER = "'S-' || 100000 + i"
AT = "now() - interval '90 days' + i * interval '90 days' / {orders}"
STATUS = "CASE WHEN i % 20 = 0 THEN 'cancelled' WHEN i % 50 = 1 THEN 'placed' ELSE 'completed' END"
SAGA = "CASE WHEN i % 50 <> 1 THEN 'ended' WHEN i % 100 = 1 THEN 'parked' ELSE 'running' END"
STYLE = f"CASE WHEN i % 2 = 0 THEN '{settings.STYLES[0]}' ELSE '{settings.STYLES[1]}' END"
NAME = "(array['Ada', 'Grace', 'Alan', 'Edsger'])[1 + i % 4] || ' ' || initcap(substr(md5((i % 20000)::text), 1, 8))"
KEY = "lpad(to_hex(i), 32, '0')"
OF_ORDER = {"order_id": UUID, "number": NUMBER, "updated_at": AT}
Sql = Mapping[str, str]


def _event(kind: int) -> str:
    return f"(lpad(to_hex(i), 8, '0') || '-0000-7000-8{kind:03d}-' || lpad(k::text, 12, '0'))::uuid"


def fill(orders: int) -> None:
    """Fill the tables, two at a time, and have the planner know them."""
    warehouse = Warehouse.objects.create(code="NORTH", name="Leeds")
    product = Product.objects.create(sku="MUG", name="Mug, red", price_minor=850)
    stock = Stock.objects.create(product=product, warehouse=warehouse, on_hand=10**9)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(_insert, *row, orders) for row in _rows(stock.pk)]:
            done.result()


def _rows(stock: int) -> Iterator[tuple[type[models.Model], Sql, int]]:
    """Of each kind: what its columns hold, and how many there are of an order."""
    yield TimelineEntry, {**_TIMELINE, "order_id": "i", "event_id": _event(0)}, EVENTS
    yield Order, _ORDER, 1
    for service in settings.SERVICES:
        for box, values in _BOXES.items():
            yield apps.get_model(service, box), values, 1
    yield Saga, _SAGA, 1
    yield OrderLine, _LINE, 1
    yield (
        Mail,
        {"message_id": KEY, "at": AT, "to": "'u@example.invalid'", "subject": NUMBER, "text": "'Hello'"},
        1,
    )
    yield WebhookDelivery, {**_WEBHOOK, "uuid": _event(9), "order_id": UUID, "number": NUMBER}, 1
    yield Notification, {**OF_ORDER, "message_id": KEY, **_NOTIFICATION}, 1
    yield Payment, {**OF_ORDER, "charge_key": KEY, "refund_key": KEY, "reference": KEY, **_PAYMENT}, 1
    yield Reservation, {**OF_ORDER, "state": "'departed'"}, 1
    yield ReservationLine, {"reservation_id": UUID, "stock_id": str(stock), "quantity": "1"}, 1
    yield Shipment, {**OF_ORDER, "state": "'handed_over'"}, 1
    yield Parcel, {"shipment_id": UUID, "key": KEY, "state": "'handed_over'", **_PARCEL}, 1


def _insert(model: type[models.Model], known: Sql, times: int, orders: int) -> None:
    values = {
        field.column: known.get(field.attname) or _default(field)
        for field in model._meta.concrete_fields
        if field.attname in known or not (field.has_db_default() or isinstance(field, models.AutoField))
    }
    table, connection = model._meta.db_table, connections[router.db_for_write(model)]
    columns = ", ".join(f'"{name}"' for name in values)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off; SET statement_timeout = 0")
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {', '.join(values.values()).format(orders=orders)} "
            f"FROM generate_series(1, {orders}) AS i, generate_series(1, {times}) AS k"
        )
        cursor.execute(f"ANALYZE {table}")
        if model.__name__ == "Outbox":
            cursor.execute(f"SELECT setval('{table}_confirmed', {orders})")
        if model is Order:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {orders})")
    connection.close()


def _default(field: Any) -> str:
    value = field.get_default()
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool | int) else f"'{value}'"


# fmt: off
_ORDER = {
    "id": "i", "uuid": UUID, "customer_id": "1 + i % 100", "style": STYLE, "status": STATUS, "placed_at": AT,
    "ended_at": AT, "currency": "'GBP'", "total_minor": "850 + i % 977", "payment_method": "'pm_card_approved'",
    "email": "'u' || i || '@example.invalid'", "name": NAME, "line1": "'12 St James''s Sq'", "city": "'London'",
    "postcode": "'SW1Y'", "country": "'GB'", "idempotency_key": KEY, "request_digest": KEY,
}
_LINE = {"order_id": "i", "sku": "'MUG'", "name": "'Mug, red'", "quantity": "1", "price_minor": "850"}
_SAGA = {
    "order_id": "i", "state": SAGA, "step": f"'{FORWARD[-1]}'", "moved_at": AT, "deadline": "NULL",
    "last_error": "CASE WHEN i % 100 = 1 THEN 'no answer' ELSE '' END",
}
_TIMELINE = {
    "at": AT, "service": "'orders'", "event": "'OrderCreated'", "kind": "'forward'", "text": "'placed: 1 line'",
    "cause": "NULL",
}
_WEBHOOK = {
    "endpoint_id": "1 + i % 100", "kind": "'order.paid'", "status": "'paid'", "sequence": "1", "happened_at": AT,
    "created_at": AT, "tried_at": AT, "state": "CASE WHEN i % 1000 = 1 THEN 'failed' ELSE 'delivered' END",
}
_NOTIFICATION = {"template": "'confirmation'", "event": "'OrderShipped'", "state": "'sent'"}
_PAYMENT = {"state": "'charged'", "amount_minor": "850", "currency": "'GBP'", "method": "'pm_card_approved'"}
_PARCEL = {"warehouse": "'NORTH'", "tracking": "'SB' || lpad(i::text, 12, '0')"}
_BOXES: Mapping[str, Sql] = {
    "Outbox": {
        "event_id": _event(1), "type": "'OrderCreated'", "order_id": UUID, "number": NUMBER, "style": STYLE,
        "payload": "jsonb_build_object('total_minor', 850, 'number', i)", "created_at": AT,
    },
    "Inbox": {
        "event_id": _event(1), "type": "'OrderCreated'", "order_id": UUID, "number": NUMBER, "received_at": AT,
        "receiver": "'a.service_does'", "state": "CASE WHEN i % 1000 = 1 THEN 'parked' ELSE 'done' END",
    },
}
# fmt: on
