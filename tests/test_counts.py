"""What an order costs, in figures that no clock blurs. They may only be changed downwards, or with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings as django_settings

from inventory.models import Product, Warehouse
from inventory.services import Delivery, receive_stock
from orders.models import Order
from orders.placement import PlaceOrder, WantedLine, place_orders
from shop.base import breaker
from tests.counting import Count, cost_of
from tests.live import ADDRESS

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
both_styles = pytest.mark.parametrize("style", django_settings.STYLES)


@pytest.fixture
def broker(settings: Any) -> Iterator[redis.Redis]:
    if settings.BROKER.is_rabbitmq:
        pytest.skip("it counts what Redis is asked")
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        yield client


@pytest.fixture(autouse=True)
def shop(settings: Any, mailbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two products in two warehouses, and providers that answer at once."""
    monkeypatch.setattr(breaker, "LOOKS_EVERY", inf)  # a statement more on a machine that is slow
    settings.PAYMENTS_GATEWAY = "benchmarks.providers.AtOnceGateway"
    settings.CARRIER = "benchmarks.providers.AtOnceCarrier"
    for code in ("NORTH", "SOUTH"):
        Warehouse.objects.create(code=code, name=code.title())
        Product.objects.create(sku=code, name=code.title(), price_minor=500)
    receive_stock([Delivery(code, code, 1_000) for code in ("NORTH", "SOUTH")])


def place(style: str, orders: int, *skus: str) -> None:
    place_orders(
        [
            PlaceOrder(
                customer_id=1,
                idempotency_key=uuid4().hex,
                lines=[WantedLine(sku, 1) for sku in skus],
                currency="GBP",
                payment_method="pm_card_approved",
                email="ada@example.invalid",
                address=ADDRESS,
                style=style,
            )
            for _ in range(orders)
        ]
    )


# With databases apart, each of the two readings of all outboxes takes a statement in each of them; and now and then one
# is asked whether it is still there.
MORE_STATEMENTS = {8, 9} if len(django_settings.DATABASES) > 1 else {0}
# style: messages, statements, transactions, row versions
# One statement asks for the parcels' tracking numbers, which the customer's mail names.
A_LONE_ORDER = {"orchestration": (10, 60, 13, 50), "choreography": (9, 55, 12, 58)}
TWO_HUNDRED = {"orchestration": (9, 58, 12, 8202), "choreography": (10, 59, 13, 9802)}


@both_styles
def test_a_lone_order_in_two_parcels(style: str, broker: redis.Redis) -> None:
    place(style, 1, "NORTH")  # so that what a process asks for once has been asked for
    cost_of(lambda: None, broker)
    cost = cost_of(lambda: place(style, 1, "NORTH", "SOUTH"), broker)
    assert_ended(2)
    assert_costs(cost, A_LONE_ORDER[style])


@both_styles
def test_two_hundred_orders_in_one_parcel_each(style: str, broker: redis.Redis) -> None:
    cost = cost_of(lambda: place(style, 200, "NORTH"), broker)
    assert_ended(200)
    assert_costs(cost, TWO_HUNDRED[style])


def assert_costs(cost: Count, figures: tuple[int, int, int, int]) -> None:
    messages, statements, transactions, versions = figures
    expected = [(messages, statements + more, transactions, versions) for more in MORE_STATEMENTS]
    assert cost.figures in expected, (cost.figures, expected, cost.messages)


def assert_ended(orders: int) -> None:
    assert Order.objects.filter(status="completed", saga__state="ended").count() == orders
