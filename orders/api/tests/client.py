"""A customer's side of the API, for tests: clients with real tokens, and an order to send."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from knox.models import AuthToken
from rest_framework.test import APIClient

from orders.models import Order, Outbox, Saga

URL = "/api/v1/orders/"
BODY: dict[str, Any] = {
    "lines": [{"sku": "MUG", "quantity": 2}, {"sku": "TEA", "quantity": 1}],
    "payment_method": "pm_card_approved",
    "email": "ada@example.com",
    "address": {"name": "Ada", "line1": "1 Street", "city": "London", "postcode": "N1", "country": "GB"},
    "style": "choreography",
}
ADA = {**BODY["address"]}


def client_of(name: str, *, staff: bool = False) -> APIClient:
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": staff})
    _row, token = AuthToken.objects.create(user)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def post(client: APIClient, body: object = None, key: str | None = "", **headers: str) -> Any:
    """``body``: what to send as JSON, or the bytes themselves. ``key`` empty: a new one; None: none."""
    data = body if isinstance(body, bytes) else json.dumps(BODY if body is None else body).encode()
    if key is not None:
        headers["Idempotency-Key"] = key or uuid4().hex
    return client.post(URL, data, content_type="application/json", headers=headers)


def placed(client: APIClient, **changes: Any) -> Order:
    answer = post(client, BODY | changes)
    assert answer.status_code == 202, answer.content
    return Order.objects.get(uuid=answer.json()["id"])


def nothing_moved() -> bool:
    return not (Order.objects.exists() or Saga.objects.exists() or Outbox.objects.exists())
