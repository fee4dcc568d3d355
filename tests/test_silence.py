"""A service that does not react: somebody is told which, to what, of which order, since when; in both styles."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from django.conf import settings

from orders.models import Order
from orders.telling.situation import elsewhere
from orders.telling.trouble import in_short, why_it_waits
from shop.messaging.incidents import open_incidents, orders_with_incidents
from shop.messaging.tables import incidents_of
from tests.live import Live

pytestmark = pytest.mark.scenario

EDGE = ("inventory.reserve_stock", "OrderCreated")


def silent(order: Order) -> set[tuple[str, str]]:
    return set(open_incidents("orders").filter(order_id=order.uuid).values_list("receiver", "type"))


@pytest.mark.parametrize("style", settings.STYLES)
def test_a_silent_service_opens_an_incident_that_closes_when_it_reacts(live: Live, style: str) -> None:
    skus = live.products()
    with live.stack.halted("inventory"):
        (order,) = live.place(style, skus)
        live.wait_for(lambda: silent(order) == {EDGE}, "the silence of inventory is noticed")
        order = Order.objects.select_related("saga").get(pk=order.pk)
        assert in_short(order, elsewhere()) == ("trouble", "placed, waits for inventory, which is silent")
        (found,) = [one for one in why_it_waits(order) if one.table == "incident"]
        assert found.text.startswith(
            "inventory.reserve_stock is silent: it was to react to OrderCreated within 2 s, and has done nothing since"
        )
    live.wait_until_ended([order])
    live.wait_for(lambda: not silent(order), "the incident is closed")
    assert order.uuid not in orders_with_incidents()
    assert live.traces(order).status == "completed"


@pytest.mark.parametrize("style", settings.STYLES)
def test_a_busy_shop_is_not_silent(live: Live, style: str) -> None:
    """Its last orders take longer than the time in which a reaction is expected; they queue. So many as keep this machine
    busy for some seconds: what takes ten times as long as expected is told, with right.
    """
    skus, began = live.products(5000), time.monotonic()
    live.wait_until_ended(live.place(style, skus, orders=400))
    in_eight_seconds = int(8 * 400 / (time.monotonic() - began))
    orders = live.place(style, skus, orders=min(in_eight_seconds, 4000))
    live.wait_until_ended(orders)
    ours = [order.uuid for order in orders]
    for service in settings.SERVICES:
        found = incidents_of(service)._default_manager.filter(order_id__in=ours)
        assert not found.exists(), Counter(found.values_list("type", "receiver"))
    last = Order.objects.filter(pk__in=[order.pk for order in orders]).order_by("ended_at").last()
    assert last
    assert last.ended_at
    assert (last.ended_at - last.placed_at).total_seconds() > 2.0, "it was not busy"
