"""The admin as a test reads it, and what can be seen there."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.urls import reverse

from orders.models import Order
from shop.messaging.tables import inbox_of


def address(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_{page}", args=args)


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def parked(service: str, order: Order, **values: Any) -> Any:
    given = {"receiver": f"{service}.act", "type": "OrderCreated", "state": "parked", "attempts": 8}
    given |= {"error": "no answer", "payload": {"what": "<b>this</b>"}, **values}
    return inbox_of(service)._default_manager.create(
        event_id=uuid4(), order_id=order.uuid, number=order.number, **given
    )
