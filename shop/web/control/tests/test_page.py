"""Who sees what of the control room, and how the lists below it are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.test import Client

from orders.models import Order
from orders.tests.pages import parked, text


def names(page: str, group: str) -> list[str]:
    section = page.partition(f"<h2>{group}</h2>")[2].partition("</section>")[0]
    return re.findall(r"<a (?!class)[^>]*>([^<]+)</a>", section)


def test_lists_are_grouped_and_no_two_have_the_same_name(staff: Callable[..., Client], db: None) -> None:
    page = text(staff().get("/admin/"))
    assert names(page, "Stock") == ["Products", "Warehouses", "Stock", "Receipts", "Reservations"]
    assert names(page, "People and tokens") == ["Users", "Groups", "Tokens of the API"]
    assert names(page, "Orders") == ["Orders", "Webhooks", "Webhook deliveries"]
    assert "<h2>More</h2>" not in page, "there is a group for each"
    assert "Knox" not in page
    boxes = re.findall(r'aria-label="((?:Outbox|Inbox|Dead letters|Incidents) of [a-z]+)"', page)
    assert len(boxes) == len(set(boxes)) == 20


def test_who_may_see_orders_only_sees_of_the_services_no_numbers_and_no_lists(
    staff: Callable[..., Client], place_order: Any
) -> None:
    parked("payments", Order.objects.get(uuid=place_order().id))
    page = text(staff("orders.view_order").get("/admin/"))
    assert 'id="live"' in page
    assert "/admin/orders/order/?attention=parked" in page
    assert "/admin/payments/" not in page
    assert "/admin/orders/outbox/" not in page
    assert re.search(r'data-name="parked">-</td>', page)
    assert "given up" not in page


def test_who_may_not_see_orders_has_the_lists_and_no_control_room(
    staff: Callable[..., Client], db: None
) -> None:
    page = text(staff("inventory.view_stock").get("/admin/"))
    assert 'id="live"' not in page
    assert names(page, "Stock") == ["Stock"]


def test_who_may_see_nothing_is_told_so(staff: Callable[..., Client], db: None) -> None:
    page = text(staff("auth.view_permission").get("/admin/"))  # of which the admin has no list
    assert "permission to view or edit anything." in page
    assert 'id="live"' not in page


def test_who_is_not_staff_is_asked_to_log_in(client: Client, db: None) -> None:
    answer: Any = client.get("/admin/")
    assert (answer.status_code, answer.url) == (302, "/admin/login/?next=/admin/")


def test_workers_and_queues_lead_to_flower_where_it_is_known(
    staff: Callable[..., Client], db: None, settings: Any
) -> None:
    settings.FLOWER_URL = "http://flower.invalid"
    page = text(staff().get("/admin/"))
    assert page.count('<a href="http://flower.invalid/workers">') == 5
    assert page.count('<a href="http://flower.invalid/broker">') == 5
