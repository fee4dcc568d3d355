"""What staff see in the lists of the admin, and what nobody can change there by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from orders.models import Order
from orders.tests.pages import address, parked, text
from shop.messaging.tables import outbox_of

MODELS = [
    *("orders.order", "inventory.product", "inventory.warehouse", "inventory.stock", "inventory.receipt"),
    *("inventory.reservation", "payments.payment", "shipping.shipment", "shipping.parcel"),
    *("notifications.notification", "notifications.mail"),
    *(
        f"{service}.{box}"
        for service in ("orders", "inventory", "payments", "shipping", "notifications")
        for box in ("inbox", "outbox")
    ),
]
EDITABLE = ("inventory.product", "inventory.warehouse")


def test_the_admin_says_whose_it_is_and_what_is_there(staff: Callable[..., Client]) -> None:
    page = text(staff().get(reverse("admin:index")))
    assert "<title>Control room | Shop</title>" in page
    assert re.search(r'<div id="branding"><a href="/admin/"><img[^>]*>Shop</a></div>', page)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_is_searched_and_filtered_by_order(
    staff: Callable[..., Client], order: Order, model: str
) -> None:
    client = staff()
    for query in ("", f"q={order.number}", f"q={order.uuid}", "q=²", "q=%F0%9F%98%80 x"):
        text(client.get(f"{address(model, 'changelist')}?{query}"))


@pytest.mark.parametrize("model", [model for model in MODELS if model not in EDITABLE])
def test_what_services_keep_is_read_only_even_for_a_superuser(
    staff: Callable[..., Client], order: Order, model: str
) -> None:
    parked("payments", order)
    client = staff()
    assert client.get(address(model, "add")).status_code == 403
    row = apps.get_model(model).objects.first()
    if row:
        before = apps.get_model(model).objects.filter(pk=row.pk).values().get()
        page = address(model, "change", row.pk)
        assert 'name="_save"' not in text(client.get(page))
        assert client.post(page, {"state": "done", "status": "completed", "on_hand": 7}).status_code == 403
        assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert apps.get_model(model).objects.filter(pk=row.pk).values().get() == before


def test_an_order_is_found_by_number_id_and_email_and_no_other_is(
    staff: Callable[..., Client], place_order: Any
) -> None:
    one, other = place_order(), place_order()
    Order.objects.filter(uuid=one.id).update(email="grace@example.invalid")
    for query in (one.number, one.number.lower(), str(one.id), "grace@example"):
        page = text(staff().get(address("orders.order", "changelist"), {"q": query}))
        assert one.number in page
        assert f">{other.number}<" not in page


def test_the_list_asks_no_question_per_order(
    staff: Callable[..., Client], place_order: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        place_order()
    client = staff()
    with django_assert_max_num_queries(9):
        text(client.get(address("orders.order", "changelist")))


def test_payloads_are_shown_as_text(staff: Callable[..., Client], order: Order) -> None:
    row = parked("payments", order)
    page = text(staff().get(address("payments.inbox", "change", row.pk)))
    assert "&lt;b&gt;this&lt;/b&gt;" in page
    event = outbox_of("orders")._default_manager.get(order_id=order.uuid)
    assert "total_minor" in text(staff().get(address("orders.outbox", "change", event.pk)))
