"""What staff press in the admin, and who can't: cancelling, resuming, sending again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Outbox, Saga
from orders.tests.pages import address, parked, said, text


def test_staff_cancel_after_being_asked(staff: Callable[..., Client], order: Order) -> None:
    client, page = staff(), reverse("admin:orders_order_cancel", args=[order.pk])
    assert "Yes, cancel" in text(client.get(page))
    assert Order.objects.get(pk=order.pk).status == "placed"
    assert "Its cancellation is asked for." in said(client.post(page, {"confirmed": "yes"}, follow=True))
    assert Order.objects.get(pk=order.pk).status == "cancelling"
    assert Outbox.objects.get(type="CancellationRequested").payload["by"] == "staff"


def test_what_has_been_shipped_is_not_cancelled_and_staff_are_told(
    staff: Callable[..., Client], order: Order
) -> None:
    Order.objects.filter(pk=order.pk).update(status="shipped")
    answer = staff().post(reverse("admin:orders_order_cancel", args=[order.pk]), follow=True)
    assert "can only be returned" in said(answer)
    assert Order.objects.get(pk=order.pk).status == "shipped"
    assert not Outbox.objects.filter(type="CancellationRequested").exists()


def test_the_page_tells_what_people_have_done(staff: Callable[..., Client], order: Order) -> None:
    client, page = staff(), address("orders.order", "change", order.pk)
    assert "Done by people" not in text(client.get(page))
    Saga.objects.filter(order=order).update(state="parked", deadline=None)
    client.post(reverse("admin:orders_order_resume", args=[order.pk]))
    shown = text(client.get(page))
    assert "Done by people" in shown
    assert "Resumed." in shown


def test_who_may_only_look_moves_nothing(staff: Callable[..., Client], order: Order) -> None:
    client = staff("orders.view_order", "orders.view_inbox")
    row = parked("orders", order)
    saga = Saga.objects.values().get(order=order)
    for button in ("cancel", "resume"):
        assert client.post(reverse(f"admin:orders_order_{button}", args=[order.pk])).status_code == 403
    for action in ("cancel_selected", "resume_selected"):
        chosen = {"action": action, "_selected_action": order.pk, "confirmed": "yes"}
        client.post(address("orders.order", "changelist"), chosen)
    client.post(address("orders.inbox", "changelist"), {"action": "send_again", "_selected_action": row.pk})
    row.refresh_from_db()
    assert row.state == "parked"
    assert Order.objects.get(pk=order.pk).status == "placed"
    assert Saga.objects.values().get(order=order) == saga
    assert not Outbox.objects.filter(type="CancellationRequested").exists()


def test_several_orders_are_cancelled_from_the_list_after_being_asked(
    staff: Callable[..., Client], place_order: Any
) -> None:
    ids = [Order.objects.get(uuid=place_order().id).pk for _ in range(2)]
    client, page = staff(), address("orders.order", "changelist")
    chosen = {"action": "cancel_selected", "_selected_action": ids}
    assert "Cancel 2 orders" in text(client.post(page, chosen))
    assert not Order.objects.filter(status="cancelling").exists()
    results = text(client.post(page, {**chosen, "confirmed": "yes"}))
    assert '<p class="question">2 done</p>' in results
    for pk in ids:
        assert f'<a href="{address("orders.order", "change", pk)}">S-' in results
    assert results.count("Its cancellation is asked for.") == 2
    assert Order.objects.filter(status="cancelling").count() == 2


@pytest.mark.parametrize("way", ["button", "action"])
def test_a_parked_order_is_resumed(staff: Callable[..., Client], order: Order, way: str) -> None:
    Saga.objects.filter(order=order).update(state="parked", deadline=None, attempt=8)
    if way == "button":
        staff().post(reverse("admin:orders_order_resume", args=[order.pk]))
    else:
        chosen = {"action": "resume_selected", "_selected_action": order.pk}
        staff().post(address("orders.order", "changelist"), chosen)
    saga = Saga.objects.get(order=order)
    assert (saga.state, saga.attempt) == ("running", 0)
    assert saga.deadline is not None
    assert saga.deadline <= timezone.now()


def test_an_ended_order_has_nothing_to_resume(staff: Callable[..., Client], order: Order) -> None:
    Saga.objects.filter(order=order).update(state="ended", deadline=None)
    answer = staff().post(reverse("admin:orders_order_resume", args=[order.pk]), follow=True)
    assert "Nothing was done" in said(answer)
    assert Saga.objects.get(order=order).state == "ended"


@pytest.mark.parametrize("service", ["orders", "payments"])
def test_a_parked_delivery_is_sent_again_and_a_handled_one_is_not(
    staff: Callable[..., Client], order: Order, service: str
) -> None:
    """After a page that says so, with a result for each."""
    Saga.objects.filter(order=order).update(state="parked", deadline=None)
    row, done = parked(service, order), parked(service, order, state="done", attempts=2)
    chosen = {"action": "send_again", "_selected_action": [row.pk, done.pk]}
    client, page = staff(), address(f"{service}.inbox", "changelist")
    asked = text(client.post(page, chosen))
    assert f"{service}.act, on OrderCreated" in asked
    assert f"{service}.act has handled this OrderCreated." in asked
    row.refresh_from_db()
    assert row.state == "parked"
    results = text(client.post(page, {**chosen, "confirmed": "yes"}))
    assert "1 done · 1 nothing to do" in results
    assert "It will be tried again now." in results
    assert "It had been handled already: nothing was done." in results
    assert f"Sent OrderCreated to {service}.act again." in text(
        client.get(address("orders.order", "change", order.pk))
    )
    row.refresh_from_db()
    done.refresh_from_db()
    assert (row.state, row.attempts) == ("failing", 0)
    assert row.due_at <= timezone.now()
    assert (done.state, done.attempts, done.due_at) == ("done", 2, None)
    assert Saga.objects.get(order=order).state == ("running" if service == "orders" else "parked")
