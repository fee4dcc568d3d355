"""Tables as full as after a hundred thousand orders, by set SQL: a row or more of each in every service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, router

from inventory.models import Product, Reservation, ReservationLine, Stock, Warehouse
from notifications.models import Mail, Notification
from orders.models import Order, OrderLine, Saga, TimelineEntry
from orders.process import FORWARD
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
OF  # fmt: off
_ORDER = {
    "id": "i",
    "uuid": UUID,
    "customer_id": "1 + i % 100",
    "style": STYLE,
    "status": STATUS,
    "placed_at": AT,
    "ended_at": AT,
    "currency": "'GBP'",
    "total_minor": "850 + i % 977",
    "payment_method": "'pm_card_approved'",
    "email": "'u' || i || '@example.invalid'",
    "name": NAME,
    "line1": "'12 St James''s Sq'",
    "city": "'London'",
    "postcode": "'SW1Y'",
    "country": "'GB'",
    "idempotency_key": KEY,
    "request_digest": KEY,
}
_SAGA = {
    "order_id": "i",
    "state": SAGA,
    "step": f"'{FORWARD[-1]}'",
    "moved_at": AT,
    "deadline": "NULL",
    "last_error": "CASE WHEN i % 100 = 1 THEN 'no answer' ELSE '' END",
}
_TIMELINE = {
    "at": AT,
    "service": "'orders'",
    "event": "'OrderCreated'",
    "kind": "'forward'",
    "text": "'placed: 1 line'",
    "cause": "NULL",
}
_NOTIFICATION = {"template": "'confirmation'", "event": "'OrderShipped'", "state": "'sent'"}
_PAYMENT = {"state": "'charged'", "amount_minor": "850", "currency": "'GBP'", "method": "'pm_card_approved'"}
_PARCEL = {"warehouse": "'NORTH'", "tracking": "'SB' || lpad(i::text, 12, '0')"}
_BOXES: Mapping[str, Sql] = {
    "Outbox": {
        "event_id": _event(1),
        "type": "'OrderCreated'",
        "order_id": UUID,
        "number": NUMBER,
        "style": STYLE,
        "payload": "jsonb_build_object('total_minor', 850, 'number', i)",
        "created_at": AT,
    },
    "Inbox": {
        "event_id": _event(1),
        "type": "'OrderCreated'",
        "order_id": UUID,
        "number": NUMBER,
        "received_at": AT,
        "receiver": "'a.service_does'",
        "state": "CASE WHEN i % 1000 = 1 THEN 'parked' ELSE 'done' END",
    },
}
# fmt: on
