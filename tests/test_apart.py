"""With a database for each app, one that is away holds up what lies in it, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from psycopg import sql

from orders.models import TimelineEntry
from shop.messaging.tables import inbox_of
from tests.live import Live
from tests.test_outages import LONGER_THAN_ALL_ATTEMPTS

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(
        len(settings.DATABASES) == 1, reason="all apps share one database: make test ARGS=--split-databases"
    ),
]


TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@contextmanager
def away(app: str) -> Iterator[None]:
    """Nobody gets into this app's database, and who is in is thrown out."""
    database = connections[app].settings_dict["NAME"]
    name = sql.Identifier(database)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        server.execute(TERMINATE, [database])
        connections[app].close()
        try:
            yield
        finally:
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


@pytest.mark.parametrize(
    ("app", "reached"),
    [("notifications", "OrderShipped"), ("shipping", "PaymentProcessed"), ("payments", "InventoryReserved")],
)
def test_the_other_services_go_on(live: Live, app: str, reached: str) -> None:
    skus = live.products()
    with away(app):
        orders = [order for style in settings.STYLES for order in live.place(style, skus, orders=3)]
        noted = TimelineEntry.objects.filter(order__in=orders, event=reached)
        live.wait_for(lambda: noted.count() == len(orders), f"each order's {reached} is noted")
    began = time.monotonic()
    live.wait_until_ended(orders)
    assert time.monotonic() - began < 30
    assert {live.traces(order).status for order in orders} == {"completed"}


@pytest.mark.parametrize(
    ("app", "asking", "reached"),
    [("orders", "payments", "InventoryReserved"), ("inventory", "shipping", "PaymentProcessed")],
)
def test_who_has_to_ask_another_service_waits_for_its_database_however_long(
    live: Live, app: str, asking: str, reached: str
) -> None:
    skus = live.products()
    with ExitStack() as gone:
        with live.stack.halted(asking):
            orders = [order for style in settings.STYLES for order in live.place(style, skus, orders=3)]
            for order in orders:
                live.wait_for_event(order, reached)
            gone.enter_context(away(app))
        time.sleep(LONGER_THAN_ALL_ATTEMPTS)
        waiting = inbox_of(asking)._default_manager.filter(order_id__in=[order.uuid for order in orders])
        assert set(waiting.values_list("state", "attempts")) == {("failing", 0)}
        for error in waiting.values_list("error", flat=True):
            assert error.startswith("A database is away")
            assert f"_{app}_" in error
    live.wait_until_ended(orders)
    assert {live.traces(order).status for order in orders} == {"completed"}
