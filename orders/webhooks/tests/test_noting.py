"""Which changes of an order become messages, and to whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone
from msgspec.structs import replace

from inventory.events import InventoryRejected, InventoryReserved, StockDispatched
from orders.events import CancellationRequested, OrderCancelled, OrderCreated
from orders.models import Order
from orders.progress import note_progress
from orders.webhooks.kinds import KIND_OF, KINDS
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.registering import pause, register
from orders.webhooks.tests.conftest import CUSTOMER
from shipping.events import CancellationRefused
from shop.messaging.events import Event, from_payload
from tests.statements import statements

SAMPLES = json.loads((Path(settings.BASE_DIR) / "tests" / "contracts" / "events.json").read_text())


def made(order: Order, *types: type[Event]) -> list[Event]:
    """Events of this order, each new; with whatever payload."""
    samples = ((kind, SAMPLES[kind.__name__][-1]) for kind in types)
    return [
        replace(from_payload(kind, sample), ref=order.ref, id=uuid4(), at=timezone.now())
        for kind, sample in samples
    ]


def told(endpoint: WebhookEndpoint | None = None) -> list[tuple[str, str, int]]:
    rows = endpoint.deliveries.all() if endpoint else WebhookDelivery.objects.all()
    return list(rows.order_by("id").values_list("kind", "status", "sequence"))


def test_every_status_that_a_customer_reads_is_told() -> None:
    assert {f"order.{status}" for status in Order.Status} == set(KINDS) - {KIND_OF[CancellationRefused]}


def test_a_change_is_told_once_however_often_its_event_comes(order: Order, endpoint: WebhookEndpoint) -> None:
    created, reserved = made(order, OrderCreated, InventoryReserved)
    note_progress([created, created])
    note_progress([created, reserved])
    note_progress([reserved])
    assert told() == [("order.placed", "placed", 1), ("order.reserved", "reserved", 2)]


def test_what_comes_late_tells_how_the_order_stands_by_now(order: Order, endpoint: WebhookEndpoint) -> None:
    reserved, dispatched, created = made(order, InventoryReserved, StockDispatched, OrderCreated)
    note_progress([reserved])
    note_progress([dispatched, created])
    assert told() == [("order.reserved", "reserved", 1), ("order.placed", "shipped", 2)]


def test_a_cancellation_is_told_once_and_its_refusal_too(order: Order, endpoint: WebhookEndpoint) -> None:
    note_progress(made(order, CancellationRequested))
    note_progress(made(order, InventoryRejected))
    note_progress(made(order, CancellationRefused))
    assert told() == [("order.cancelling", "cancelling", 1), ("order.cancellation_refused", "placed", 2)]


def test_each_endpoint_is_told_what_it_asked_for_and_another_customers_nothing(order: Order) -> None:
    every, some, of_another, paused = (
        register(customer, f"http://127.0.0.1/{customer}", kinds)
        for customer, kinds in (
            (CUSTOMER, []),
            (CUSTOMER, [KIND_OF[OrderCancelled]]),
            (2, []),
            (CUSTOMER, []),
        )
    )
    pause(paused, "ada")
    note_progress(made(order, OrderCreated, CancellationRequested, OrderCancelled))
    assert [kind for kind, *_ in told(every)] == ["order.placed", "order.cancelling", "order.cancelled"]
    assert [(kind, sequence) for kind, _, sequence in told(some)] == [("order.cancelled", 1)]
    assert told(of_another) == told(paused) == []


def test_who_has_no_webhook_pays_no_statement_and_who_has_some_pays_one(
    order: Order, place_order: Any
) -> None:
    def cost(order: Order) -> int:
        with statements() as sent:
            note_progress(made(order, OrderCreated, InventoryReserved))
        return len(sent)

    without = cost(order)
    register(CUSTOMER, "http://127.0.0.1/", [])
    register(CUSTOMER, "http://127.0.0.1/2", [])
    assert cost(Order.objects.get(uuid=place_order().id)) == without + 1


def test_what_is_told_is_in_the_transaction_of_what_is_noted(
    order: Order, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("after the messages, before the commit")

    from shop.messaging import recording

    monkeypatch.setattr(recording, "reach", broken)
    with pytest.raises(RuntimeError):
        note_progress(made(order, OrderCreated))
    assert told() == []
    assert not order.timeline.exists()
