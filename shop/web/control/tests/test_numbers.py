"""Every number of the control room is right, and leads to a list with just so many rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from orders.models import DeadLetter, Incident, Order, Saga, TimelineEntry
from orders.tests.pages import parked, text
from shop.messaging.ids import uuid7
from shop.web.control.numbers import shared, take
from shop.web.control.steps import SAMPLE, step_times

NUMBER = re.compile(
    r'<a href="(/admin/[^"]+)"[^>]*>(?:See all )?([\d,]+)(?:\+? (?!ms|min)[a-z]{2}[^<]*)?</a>'
)
ONE, OTHER = settings.STYLES


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.fixture
def orders(place_order: Any) -> dict[str, Order]:
    """One of each kind, by a name of its own; some have ended long ago."""

    def make(style: str = ONE, *, saga: dict[str, Any] | None = None, **values: Any) -> Order:
        order = Order.objects.get(uuid=place_order(style=style).id)
        Order.objects.filter(pk=order.pk).update(**values)
        given = {"deadline": timezone.now() + seconds(60), **(saga or {})}
        Saga.objects.filter(order=order).update(**given)
        return Order.objects.select_related("saga").get(pk=order.pk)

    def ended(style: str, status: str, ago: float, took: float) -> Order:
        end = timezone.now() - seconds(ago)
        saga = {"state": "ended", "deadline": None}
        return make(style, status=status, placed_at=end - seconds(took), ended_at=end, saga=saga)

    parked_for = "payments: the card's bank, and 100 % of it, says no"
    return {
        "quick": ended(ONE, "completed", ago=20, took=2),
        "slow": ended(ONE, "completed", ago=600, took=10),
        "other": ended(OTHER, "completed", ago=900, took=4),
        "yesterday's": ended(OTHER, "completed", ago=86400, took=3),
        "cancelled": ended(OTHER, "cancelled", ago=120, took=1),
        "fresh": make(OTHER),
        "parked": make(status="reserved", saga={"state": "parked", "last_error": parked_for}),
        "parked, too": make(status="reserved", saga={"state": "parked", "last_error": "no such address"}),
        "for no reason": make(OTHER, saga={"state": "parked"}),
        "owed": make(
            status="cancelling", saga={"state": "attention", "undo": "requested", "last_error": "no"}
        ),
        "overdue": make(saga={"deadline": timezone.now() - seconds(60)}),
        "retrying": make(OTHER, saga={"attempt": 2, "last_error": "no answer"}),
        "undoing": make(OTHER, status="cancelling", saga={"undo": "requested"}),
    }


def numbers_of(page: str) -> dict[str, int]:
    """By address, what is said to be there."""
    found = [(unescape(address), int(count.replace(",", ""))) for address, count in NUMBER.findall(page)]
    assert len(dict(found)) == len(set(found))
    return dict(found)


def test_orders_are_counted_by_state_and_style_by_what_they_need_and_by_when_they_ended(
    orders: dict[str, Order],
) -> None:
    numbers = take()
    assert numbers.missing == []
    flight, flow = numbers.flight, numbers.flow
    assert flight
    assert flow
    assert flight.count == 8
    assert (
        flight.of(style=ONE),
        flight.of(status="reserved"),
        flight.of(style=OTHER, status="cancelling"),
    ) == (4, 2, 1)
    assert flight.kinds == {
        "attention": 1, "parked": 4, "silent": 0, "resting": 0, "overdue": 1, "retrying": 1, "undoing": 2
    }  # fmt: skip
    assert {(reason.state, reason.count) for reason in flight.reasons} == {("parked", 1), ("attention", 1)}
    assert len(flight.reasons) == 4
    assert flow.lately["completed"] == 1
    assert (flow.of("completed"), flow.of("completed", ONE), flow.of("cancelled", OTHER)) == (3, 2, 1)
    assert sum(flow.per_minute("completed")) == 3
    assert flow.took[ONE, "completed"] == pytest.approx((6, 9.6), abs=0.01)
    assert flow.took["", "completed"][0] == pytest.approx(4, abs=0.01)
    under_way = flow.in_flight(flight.count)
    assert under_way[-1] == 8
    assert under_way[0] == 0


def test_each_number_leads_to_a_list_with_just_so_many_rows(
    staff: Callable[..., Client], orders: dict[str, Order]
) -> None:
    for service in ("payments", "inventory"):
        parked(service, orders["parked"])
    parked("shipping", orders["retrying"], state="failing", attempts=1, due_at=timezone.now())
    DeadLetter.objects.create(digest="d", reason="no JSON", message="?")
    Incident.objects.create(
        event_id=uuid4(),
        receiver="inventory.note",
        type="OrderCreated",
        order_id=orders["fresh"].uuid,
        since=timezone.now() - seconds(60),
        within=15,
    )
    client = staff()
    page = text(client.get("/admin/"))
    found = numbers_of(page)
    assert len(found) > 60
    lists = {address: client.get(address).context["cl"].result_count for address, count in found.items()}
    assert lists == found
    by_kind = {address.partition("?")[2]: count for address, count in found.items() if "order/" in address}
    assert by_kind["attention=silent"] == 1
    assert by_kind["saga__state__in=running%2Cparked%2Cattention"] == 8
    assert found["/admin/orders/outbox/?confirmed=no"] == 13
    assert found["/admin/shipping/inbox/?state__exact=failing"] == 1
    assert found["/admin/orders/deadletter/?"] == 1
    for said in (
        "parked, and waits for a person", "100 % of it, says no.", "what undoes an order has failed for good",
        "It was time to take them up again", "inventory.note is silent.", "1 message in the queue of orders",
    ):  # fmt: skip
        assert said in unescape(page), said


def test_a_reason_leads_to_the_orders_that_are_parked_for_it_and_to_no_others(
    staff: Callable[..., Client], orders: dict[str, Order]
) -> None:
    client = staff()
    page = text(client.get("/admin/"))
    links = [unescape(a) for a in re.findall(r'class="why.*?</strong>.*?<a href="([^"]+)"', page)]
    reasons = [link for link in links if "last_error" in link]
    assert len(reasons) == 4
    listed = [[row.pk for row in client.get(link).context["cl"].result_list] for link in reasons]
    wanted = [orders[name].pk for name in ("parked", "parked, too", "for no reason", "owed")]
    assert sorted(listed) == sorted([pk] for pk in wanted)


def test_a_steps_time_is_from_what_led_to_it(orders: dict[str, Order]) -> None:
    placed = timezone.now() - seconds(30)
    Order.objects.filter(pk=orders["fresh"].pk).update(placed_at=placed)
    ids = [uuid7(), uuid7()]
    for index, (event, at, began) in enumerate((("OrderCreated", 0, None), ("InventoryReserved", 1.5, 1.2))):
        TimelineEntry.objects.create(
            order=orders["fresh"],
            event_id=ids[index],
            cause=ids[0] if index else None,
            at=placed + seconds(at),
            began_at=placed + seconds(began) if began else None,
            service="inventory" if index else "orders",
            event=event,
            kind="forward",
            text="",
        )
    (step,) = take().steps
    assert (step.move.service, step.style, step.count) == ("inventory", OTHER, 1)
    assert (step.p50, step.p95, step.work) == pytest.approx((1.5, 1.5, 0.3), abs=0.01)


def test_a_sample_of_orders_that_alternate_has_both_styles(orders: dict[str, Order]) -> None:
    fresh, now = orders["fresh"], timezone.now()
    values = {field.attname: getattr(fresh, field.attname) for field in Order._meta.concrete_fields[1:]}
    unique = [
        {"uuid": uuid7(), "idempotency_key": str(n), "style": settings.STYLES[n % 2]} for n in range(64)
    ]
    some = Order.objects.bulk_create(Order(**{**values, **one, "placed_at": now}) for one in unique)
    for order in some:
        first = uuid7()
        TimelineEntry.objects.bulk_create(
            TimelineEntry(
                order=order, event_id=id, cause=cause, at=now, service="x", event=event, kind="forward"
            )
            for id, cause, event in ((first, None, "OrderCreated"), (uuid7(), first, "InventoryReserved"))
        )
    assert {one.style for one in step_times(now, 2 * SAMPLE)} == {*settings.STYLES}


def test_numbers_are_taken_once_for_all_who_look(
    staff: Callable[..., Client], place_order: Any, django_assert_max_num_queries: Any
) -> None:
    place_order()
    clients = [staff() for _ in range(4)]
    with django_assert_max_num_queries(14):
        text(clients[0].get("/admin/"))
    taken = shared.now()
    for client in clients[1:]:
        with django_assert_max_num_queries(3):  # who it is, and what they did last
            text(client.get("/admin/"))
    assert shared.now() is taken
