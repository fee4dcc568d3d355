"""A flood that the shop can't keep up with: its door shuts, says so, and opens again; nothing accepted is lost."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Max
from knox.models import AuthToken

from orders.admission import FEW
from orders.models import Order
from tests.live import ADDRESS, Live
from tests.web import Web, running_web

MAX_AGE = 1.0
FLOOD = 20.0  # s, by then it must be shut
UNITS = 5_000


@pytest.fixture
def web(live: Live, tmp_path: Path) -> Iterator[Web]:
    with running_web(
        {**live.stack.env, "ADMISSION_MAX_AGE": str(MAX_AGE), "PLACING_RATE": "off"}, tmp_path
    ) as web:
        yield web


class Customer:
    """Who places orders through the API, on one connection."""

    def __init__(self, web: Web, skus: tuple[str, str]) -> None:
        user = get_user_model().objects.create_user(f"bob-{uuid4().hex[:8]}")
        _, self._token = AuthToken.objects.create(user)
        self._before = Order.objects.aggregate(last=Max("pk"))["last"] or 0
        self.connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
        self._skus = skus

    def orders(self) -> list[Order]:
        """All that came in since: other tests buy as customers, too."""
        return list(Order.objects.filter(pk__gt=self._before))

    def place(self, key: str, style: str = "") -> tuple[int, http.client.HTTPResponse, dict[str, Any]]:
        body = {
            "lines": [{"sku": sku, "quantity": 1} for sku in self._skus],
            "payment_method": "pm_card_approved",
            "email": "bob@example.com",
            "address": {name: getattr(ADDRESS, name) for name in ADDRESS.__struct_fields__},
            "style": style or settings.STYLES[0],
        }
        headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
        headers["Idempotency-Key"] = key
        self.connection.request("POST", "/api/v1/orders/", json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, answer, json.loads(answer.read())


def test_a_flood_shuts_the_door_until_the_shop_has_got_on(
    live: Live, web: Web, request: pytest.FixtureRequest
) -> None:
    skus = live.products(UNITS)
    customer = Customer(web, skus)
    request.addfinalizer(customer.connection.close)
    with live.stack.halted("payments"):
        began, accepted = time.monotonic(), list[str]()
        while time.monotonic() - began < FLOOD:
            key = uuid4().hex
            status, answer, body = customer.place(key, settings.STYLES[len(accepted) % 2])
            if status != 202:
                break
            accepted.append(key)
            time.sleep(0.02)
        assert (status, body["type"]) == (503, "tag:shop.example,2026:backlog")
        assert answer.headers["Retry-After"] == "10"
        assert time.monotonic() - began > MAX_AGE
        assert len(accepted) >= FEW
        for number, key in enumerate(accepted[:4]):
            assert customer.place(key, settings.STYLES[number % 2])[0] == 202, "what was accepted stays so"
        assert customer.place(uuid4().hex)[0] == 503
    orders = customer.orders()
    assert sorted(order.idempotency_key for order in orders) == sorted(accepted)
    live.wait_for(lambda: customer.place("the-next-one")[0] == 202, "the door is open again")
    orders = customer.orders()
    live.wait_until_ended(orders)
    assert {order.status for order in customer.orders()} == {Order.Status.COMPLETED}
    assert [live.stock(sku) for sku in skus] == [(UNITS - len(accepted) - 1, 0)] * 2
