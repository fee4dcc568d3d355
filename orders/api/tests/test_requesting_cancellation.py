"""Asking over REST for an order to be cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from orders.api.tests.client import URL, placed
from orders.models import Order, Outbox


def test_an_order_is_cancelled_on_request_and_asking_again_changes_nothing(ada: APIClient) -> None:
    order = placed(ada)
    for _ in range(2):
        answer = ada.post(f"{URL}{order.uuid}/cancel/")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelling")
        assert answer.json()["number"] == order.number
    assert [row.payload.get("by") for row in Outbox.objects.order_by("id")] == [None, "customer"]


def test_a_cancelled_order_is_cancelled_already(ada: APIClient) -> None:
    order = placed(ada)
    Order.objects.update(status="cancelled", ended_at=timezone.now())
    answer = ada.post(f"{URL}{order.uuid}/cancel/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert Outbox.objects.count() == 1


@pytest.mark.parametrize(
    "gone",
    [
        {"status": "shipped"},
        {"status": "completed", "ended_at": timezone.now()},
        {"status": "paid", "cancellation_refused": True},
    ],
    ids=["shipped", "completed", "refused before"],
)
def test_an_order_that_has_left_cannot_be_cancelled(ada: APIClient, gone: dict[str, Any]) -> None:
    order = placed(ada)
    Order.objects.update(**gone)
    answer = ada.post(f"{URL}{order.uuid}/cancel/")
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert answer.json()["type"].endswith(":too-late-to-cancel")
    order.refresh_from_db()
    assert (order.status, Outbox.objects.count()) == (gone["status"], 1)
