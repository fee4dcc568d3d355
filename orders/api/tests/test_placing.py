"""Placing orders over REST: receipts, keys, repetitions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from inventory.models import Product
from orders.api.tests.client import BODY, URL, client_of, nothing_moved, post
from orders.models import Order, Outbox
from shop.tests.documents import fields


def test_an_order_is_accepted_with_a_receipt_and_a_place_to_follow_it(ada: APIClient) -> None:
    answer = post(ada)
    order = Order.objects.get()
    here = f"{URL}{order.uuid}/"
    assert (answer.status_code, answer["Location"]) == (202, here)
    assert answer.json() == {
        "id": str(order.uuid),
        "number": f"S-{100_000 + order.pk}",
        "style": "choreography",
        "status": "placed",
        "currency": "GBP",
        "total_minor": 2290,
        "total": "GBP 22.90",
        "placed_at": order.placed_at.isoformat().replace("+00:00", "Z"),
        "links": {"self": here, "timeline": f"{here}timeline/", "cancel": f"{here}cancel/"},
    }
    assert order.customer_id == User.objects.get(username="ada").pk
    assert Outbox.objects.get().type == "OrderCreated"


def test_the_setting_decides_the_style_of_an_order_that_names_none(ada: APIClient, settings: Any) -> None:
    for style in settings.STYLES:
        settings.FULFILLMENT_STYLE = style
        body = {name: value for name, value in BODY.items() if name != "style"}
        assert post(ada, body).json()["style"] == style


def test_the_same_request_is_answered_the_same_even_when_the_order_has_moved_on(ada: APIClient) -> None:
    first = post(ada, key="k")
    Order.objects.update(status="completed", ended_at=timezone.now())
    Product.objects.update(price_minor=1)
    again = post(ada, json.dumps(BODY, indent=3).encode(), key="k")
    assert (again.status_code, again["Location"], again.content) == (202, first["Location"], first.content)
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert (Order.objects.count(), Outbox.objects.count()) == (1, 1)


def test_the_same_key_with_another_body_is_refused(ada: APIClient) -> None:
    post(ada, key="k")
    answer = post(ada, BODY | {"email": "eve@example.com"}, key="k")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].endswith(":idempotency-key-reused")
    assert (Order.objects.count(), Outbox.objects.count()) == (1, 1)


def test_another_customer_may_use_the_same_key(ada: APIClient) -> None:
    assert post(ada, key="k").json()["id"] != post(client_of("eve"), key="k").json()["id"]


@pytest.mark.parametrize(
    "key", [None, " ", "a b", "x" * 101, "ключ".encode().decode("latin-1"), "a\tb", "\x7f"]
)
def test_an_order_needs_a_key_of_visible_characters(ada: APIClient, key: str | None) -> None:
    answer = post(ada, key=key)
    assert (answer.status_code, fields(answer)) == (400, ["Idempotency-Key"])
    assert nothing_moved()


def test_a_key_of_a_hundred_characters_is_fine(ada: APIClient) -> None:
    assert post(ada, key="~" * 100).status_code == 202


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.usefixtures("catalogue")
def test_eight_requests_with_one_key_at_once_are_one_order_and_one_answer() -> None:
    clients = [client_of("ada") for _ in range(8)]
    start = Barrier(8, timeout=20)

    def run(client: APIClient) -> tuple[int, bytes, str]:
        try:
            start.wait()
            answer = post(client, key="k")
            return answer.status_code, answer.content, answer["Location"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(run, clients))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 202
    assert (Order.objects.count(), Outbox.objects.count()) == (1, 1)
