"""A provider that is away is no order's fault: nobody is needed, nothing is parked, and it is tried now and then."""

from __future__ import annotations

import time

import pytest
from django.conf import settings

from orders.models import Order, Saga, TimelineEntry
from orders.services import request_cancellation
from orders.telling.situation import elsewhere
from orders.telling.trouble import in_short, why_it_waits
from shop.messaging.outages import outages
from shop.messaging.tables import inbox_of
from tests.live import Live

pytestmark = pytest.mark.scenario
SERVICE_OF = {"payments": "payments", "carrier": "shipping"}  # whose provider it is
LONGER_THAN_ALL_ATTEMPTS = 9.0  # s: six of them take some 6 s here


def troubles(orders: list[Order]) -> int:
    return TimelineEntry.objects.filter(order__in=orders, kind="trouble").count()


@pytest.mark.parametrize("provider", SERVICE_OF)
def test_a_provider_away_for_longer_than_all_attempts_parks_nothing_in_either_style(
    live: Live, provider: str
) -> None:
    service = SERVICE_OF[provider]
    skus = live.products(1000)
    with live.stack.supervisor.held(provider):
        orders = [order for style in settings.STYLES for order in live.place(style, skus, orders=60)]
        live.wait_for(lambda: outages(service), f"{service} knows that its provider is away")
        time.sleep(LONGER_THAN_ALL_ATTEMPTS)
        assert not Saga.objects.filter(order__in=orders, state="parked").exists()
        ids = [order.uuid for order in orders]
        assert not inbox_of(service)._default_manager.filter(order_id__in=ids, state="parked").exists()
        waiting = Order.objects.select_related("saga").get(pk=orders[0].pk)
        found = outages(service)[service]
        assert found.in_short in in_short(waiting, elsewhere())[1]
        assert why_it_waits(waiting)[0].text.startswith(found.in_words)
        assert why_it_waits(waiting)[0].level == "waiting"
    began = time.monotonic()
    live.wait_until_ended(orders)
    assert time.monotonic() - began < 30
    assert not outages(service)
    for order in orders[::20]:
        traces = live.traces(order)
        assert (traces.status, traces.charges, traces.handed_over) == ("completed", 1, 2)
    # Not a line for each attempt: that it is away, perhaps the attempts that found out, and that it was taken up again.
    assert troubles(orders) < 8 * len(orders)


def test_an_order_that_is_being_undone_waits_for_the_provider_too(live: Live) -> None:
    skus = live.products()
    with live.stack.supervisor.held("payments"):
        orders = [order for style in settings.STYLES for order in live.place(style, skus, orders=3)]
        live.wait_for(lambda: outages("payments"), "payments knows that its provider is away")
        for order in orders:
            request_cancellation(order.uuid, "customer")
        time.sleep(LONGER_THAN_ALL_ATTEMPTS / 2)
        assert not Saga.objects.filter(order__in=orders, state="parked").exists()
    live.wait_until_ended(orders)
    assert {live.traces(order).status for order in orders} == {"cancelled"}
    assert {live.traces(order).charged_minor for order in orders} == {0}
    assert [live.stock(sku) for sku in skus] == [(100, 0)] * 2
