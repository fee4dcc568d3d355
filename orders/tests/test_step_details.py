"""One step of an order, looked at closely on its page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Order, OrderLine, Saga, TimelineEntry
from orders.tests.pages import address, text
from orders.tests.timelines import entry
from payments.models import Outbox

TRACE = "payments/services.py:12 in take_payment\nRuntimeError: <broken>"


@pytest.fixture
def paid(order: Order) -> UUID:
    """Placed, reserved, failed twice, paid. Returns the id of the second failure."""
    placed = entry(order, 2, "orders", "OrderCreated", text="placed: 2 lines")
    reserved = entry(order, 12, "inventory", "InventoryReserved", cause=placed)
    failed = [uuid4(), uuid4()]
    for ms, id in zip((20, 30), failed, strict=True):
        entry(order, ms, "payments", "StepFailed", "trouble", event_id=id, cause=reserved, text="no answer")
        stored(order, id, "StepFailed", trace=TRACE)
    done = entry(
        *(order, 900, "payments", "PaymentProcessed"),
        cause=reserved,
        task=UUID(int=7),
        sent_at=40,
        began_at=100,
        outside=0.3,
    )
    stored(order, done, "PaymentProcessed", amount_minor=1000)
    Saga.objects.filter(order=order).update(step="paid")
    return failed[1]


def stored(order: Order, id: UUID, type: str, **payload: Any) -> None:
    of_order = {"order_id": order.uuid, "number": order.number, "style": order.style}
    Outbox.objects.create(event_id=id, type=type, payload=payload, **of_order)


def page(client: Client, order: Order, **query: Any) -> str:
    return text(client.get(address("orders.order", "change", order.pk), query))


@pytest.mark.usefixtures("paid")
def test_a_step_shows_its_payload_where_its_time_went_what_led_to_it_and_what_was_believed(
    staff: Callable[..., Client], order: Order, settings: Any
) -> None:
    settings.FLOWER_URL = "http://flower.invalid"
    client = staff()
    assert 'id="step"' not in page(client, order)
    told = page(client, order, after=3)
    assert "Step 3 of 3: payments, paid" in told
    for expected in (
        "&quot;amount_minor&quot;: 1000",
        "60 ms in the queue, 500 ms at work, 300 ms at the provider",
        f"http://flower.invalid/task/{UUID(int=7)}",
        f"/admin/payments/payment/?order_id={order.uuid}",
        "Attempts before it went well",
        "RuntimeError: &lt;broken&gt;",
        "nothing yet",
    ):
        assert expected in told, expected
    first = page(client, order, after=1)
    assert 'data-go="previous"' not in first
    assert 'data-go="next"' in first
    assert 'data-go="previous"' in told
    assert 'data-go="next"' not in told


def test_a_failure_shows_where_it_failed(staff: Callable[..., Client], order: Order, paid: UUID) -> None:
    told = page(staff(), order, after=paid)
    assert "Step 3 of 3: payments, failed" in told
    assert "Where it failed" in told
    assert "&quot;trace&quot;" not in told
    assert "<b>failing</b>" in told


@pytest.mark.parametrize(
    "wanted", ["", "0", "9", "99999999", "٣", "nonsense", "7b0b7e5c-5a1e-4f43-9d2e-0e4bc5f2a1b7"]
)
@pytest.mark.usefixtures("paid")
def test_a_step_that_is_not_there_is_none(staff: Callable[..., Client], order: Order, wanted: str) -> None:
    assert 'id="step"' not in page(staff(), order, after=wanted)


@pytest.mark.usefixtures("paid")
def test_who_may_not_read_an_outbox_sees_neither_payload_nor_traceback(
    staff: Callable[..., Client], order: Order
) -> None:
    told = page(staff("orders.view_order"), order, after=3)
    assert "You may not read the outbox of payments." in told
    assert "amount_minor" not in told
    assert "RuntimeError" not in told


def test_what_is_not_kept_any_more_is_said(staff: Callable[..., Client], order: Order, paid: UUID) -> None:
    Outbox.objects.all().delete()
    assert "It is not kept any more" in page(staff(), order, after=paid)


def test_300_attempts_and_600_lines_are_explained_as_easily(
    staff: Callable[..., Client], order: Order
) -> None:
    client = staff()
    reserved = entry(order, 2, "inventory", "InventoryReserved")
    Saga.objects.filter(order=order).update(step="reserved", state="parked", last_error="no")
    page(client, order)
    with CaptureQueriesContext(connection) as few:
        page(client, order)
    at = TimelineEntry.objects.get().at
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            order=order, event_id=uuid4(), at=at, service=service, event=event, kind="trouble", text=f"{n}."
        )
        for n in range(300)
        for service, event in (("payments", "StepFailed"), ("orders", "OrderStalled"))
    )
    OrderLine.objects.bulk_create(
        OrderLine(order=order, sku=f"X{n}", name="X", quantity=1, price_minor=1) for n in range(598)
    )
    with CaptureQueriesContext(connection) as many:
        began = time.process_time()
        told = page(client, order)
        took = time.process_time() - began
    assert "tried 300 times in vain" in told
    assert "take payment · 300 attempts" in told
    assert "and 590 before" in told
    assert "and 550 more" in told
    assert len(told) < 60_000
    assert len(many) <= len(few)
    assert took < 0.3
    assert "and 580 before" in page(client, order, after=2)
    assert page(client, order, after=2, attempts="all").count("<li") > 500
    assert page(client, order, lines="all").count('<td class="number">') > 1800
    assert str(reserved) in told
