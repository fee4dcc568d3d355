"""The page of one order in the admin."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from orders.models import Order, TimelineEntry
from orders.telling.live import versions
from orders.tests.pages import address, parked, text


def test_the_page_tells_the_way_forward_and_back_with_times(
    staff: Callable[..., Client], order: Order, django_assert_max_num_queries: Any
) -> None:
    for ms, kind in ((12, "forward"), (1500, "trouble"), (64000, "undo")):
        TimelineEntry.objects.create(
            order=order,
            event_id=uuid4(),
            at=order.placed_at + timedelta(milliseconds=ms),
            service="payments",
            event="Something",
            kind=kind,
            text=f"<i>{kind}</i>",
        )
    client = staff()
    client.get(address("orders.order", "change", order.pk))  # what a process asks for once has been asked for
    with django_assert_max_num_queries(34):
        page = text(client.get(address("orders.order", "change", order.pk)))
    for expected in ("→ forward", "! trouble", "← undo", "+12 ms", "+1.5 s", "+1 min 4.0 s", "&lt;i&gt;undo"):
        assert expected in page
    assert "<i>undo" not in page
    assert f"/admin/payments/payment/?order_id={order.uuid}" in page


def test_the_page_of_another_service_leads_to_the_order(staff: Callable[..., Client], order: Order) -> None:
    answer = staff().get(reverse("admin:orders_order_find", args=[order.uuid]))
    assert answer.headers["Location"] == address("orders.order", "change", order.pk)


def test_links_lead_only_where_this_person_may_look(staff: Callable[..., Client], order: Order) -> None:
    parked("payments", order)
    page = text(staff("orders.view_order").get(address("orders.order", "change", order.pk)))
    assert "payments.act failed" in page
    assert "/admin/payments/" not in page
    assert "Resume now" not in page
    assert "Cancel order" not in page


def test_the_page_is_told_of_what_changes_after_it_was_made(
    staff: Callable[..., Client], order: Order, django_assert_num_queries: Any
) -> None:
    client = staff()
    page = text(client.get(address("orders.order", "change", order.pk)))
    (stream,) = re.findall(r'sse-connect="([^"]+)"', page)
    assert "changed" not in told(client.get(stream))
    TimelineEntry.objects.create(
        order=order,
        event_id=uuid4(),
        at=order.placed_at,
        service="orders",
        event="X",
        kind="forward",
        text="",
    )
    assert "event: changed" in told(client.get(stream))
    page = text(client.get(address("orders.order", "change", order.pk)))
    (stream,) = re.findall(r'sse-connect="([^"]+)"', page)
    LogEntry.objects.log_actions(get_user_model().objects.get().pk, [order], CHANGE, "Note: rings twice")
    assert "event: changed" in told(client.get(stream))
    with django_assert_num_queries(2):
        assert len(versions([order.pk, order.pk + 1])) == 1


def test_who_may_not_see_an_order_is_told_nothing_of_it(staff: Callable[..., Client], order: Order) -> None:
    stream = reverse("admin:orders_order_stream", args=[order.pk])
    assert staff().get(reverse("admin:orders_order_stream", args=[order.pk + 1])).status_code == 404
    assert staff("payments.view_payment").get(stream).status_code == 403
    assert "/login/" in Client().get(stream)["Location"]


def told(answer: Any) -> str:
    return b"".join(answer).decode()
