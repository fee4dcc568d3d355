"""A clock jumps by an hour, either way, while orders are in flight, and back: nothing is stranded or done twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from orders.models import Order, Outbox, Saga, TimelineEntry
from orders.services import Cancellation, request_cancellation
from orders.telling.trouble import needing
from payments.models import Outage
from shop.base.breaker import IN_A_ROW
from shop.messaging.outages import outages
from shop.tools.audit.run import audit
from tests.clocks import SETTABLE, databases_wrong, process_wrong
from tests.conftest import QUICK, fresh_databases
from tests.live import Live
from tests.stack import LiveStack

HOUR = 3600.0
ENDED_WITHIN = 30.0  # s

Wrong = Callable[[float], AbstractContextManager[object]]


@pytest.fixture(scope="module")
def live_databases() -> Iterator[dict[str, str]]:
    with fresh_databases(SETTABLE) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def stack(live_databases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """As that of all tests, but with clocks that can be set."""
    folder = tmp_path_factory.mktemp("stack")
    env = {**QUICK, **live_databases, "REDIS_PREFIX": "clocks:", "CLOCKS": str(folder)}
    with LiveStack(env, folder, points="tests.clocks") as stack:
        yield stack


def processes(live: Live, *names: str, by: float) -> AbstractContextManager[None]:
    return process_wrong(Path(live.stack.env["CLOCKS"]), names, by)


class Orders:
    """Orders of all kinds, placed before, while and after a clock is wrong; and what is to become of each."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._skus = live.products(1000)
        self.ends: dict[Order, str] = {}

    def place(self, end: str = "completed", **how: Any) -> list[Order]:
        some = [order for style in settings.STYLES for order in self._live.place(style, self._skus, **how)]
        self.ends |= dict.fromkeys(some, end)
        return some

    def place_all_kinds(self) -> list[Order]:
        """Such as fail and are tried again, are refused, are cancelled. Returns those of which nothing goes wrong."""
        self.cancel(
            self.place("cancelled", card="slow")
        )  # at once: half a second later they would be on their way
        self.place(card="provider_down")
        fine = self.place()
        self.place(postcode="DOWN 1")
        self.place(postcode="LOST 1")
        self.place("cancelled", card="declined")
        self.place("cancelled", postcode="REFUSE")
        return fine

    def cancel(self, orders: Iterable[Order]) -> None:
        for order in orders:
            assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED

    def end_well(self, within: float = ENDED_WITHIN) -> None:
        self._live.wait_until_ended(list(self.ends), within)
        found = Order.objects.in_bulk([order.pk for order in self.ends])
        assert {order.pk: found[order.pk].status for order in self.ends} == {
            order.pk: end for order, end in self.ends.items()
        }
        sold = Counter(self.ends.values())["completed"]
        assert [self._live.stock(sku) for sku in self._skus] == [(1000 - sold, 0)] * 2
        assert not audit().violations


def jump(live: Live, wrong: Wrong) -> Orders:
    """Orders before, while and after a clock is wrong, first one way and then the other."""
    orders = Orders(live)
    orders.place_all_kinds()
    ways = random.sample([HOUR, -HOUR], 2)
    print(f"{ways[0]:+g} s, {ways[1]:+g} s")  # noqa: T201 (pytest shows it when the test fails)
    for by in ways:
        with wrong(by):
            for order in orders.place_all_kinds():
                live.wait_for_event(order, "OrderCompleted")
    orders.place_all_kinds()
    orders.end_well()
    return orders


def hours_off(times: Iterable[datetime]) -> set[int]:
    """By how many hours the clock was wrong that said so just now."""
    return {round((at - timezone.now()).total_seconds() / HOUR) for at in times}


def told_by(service: str, orders: Orders) -> Iterable[datetime]:
    entries = TimelineEntry.objects.filter(order__in=orders.ends, service=service)
    return entries.values_list("at", flat=True)


def test_the_clocks_of_two_services_one_ahead_and_one_behind(live: Live) -> None:
    @contextmanager
    def wrong(by: float) -> Iterator[None]:
        paying = processes(live, "worker-payments", "worker-payments-2", by=by)
        with paying, processes(live, "worker-orders", by=-by):
            yield

    orders = jump(live, wrong)
    for service in ("payments", "orders"):
        assert {-1, 1} <= hours_off(told_by(service, orders))


def test_the_clock_of_the_relay(live: Live) -> None:
    jump(live, lambda by: processes(live, "relay", by=by))


def test_the_clock_of_postgresql(live: Live, live_databases: dict[str, str]) -> None:
    orders = jump(live, lambda by: databases_wrong(live_databases, by))
    written = Outbox.objects.filter(order_id__in=[order.uuid for order in orders.ends])
    assert hours_off(written.values_list("created_at", flat=True)) == {-1, 0, 1}


def test_the_clock_of_who_places_cancels_and_looks_while_messages_are_lost(live: Live, settings: Any) -> None:
    """This process stands for the web's, and for the audit's."""
    orders = Orders(live)
    for by in (HOUR, -HOUR):
        with live.stack.supervisor.held("worker-inventory"), time_machine.travel(timedelta(seconds=by)):
            placed, cancelled = orders.place(), orders.place("cancelled")
            orders.cancel(cancelled)
            time.sleep(2)  # whoever looks for what has not moved has looked
            assert not audit().violations
            overdue = Order.objects.filter(needing("overdue"), pk__in=[order.pk for order in placed])
            live.wait_for(lambda: not overdue.exists(), "no order counts as overdue", 10)  # noqa: B023
            with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
                broker.flushall()
    orders.end_well()
    assert {-1, 1} <= hours_off(told_by("orders", orders))


def test_the_clock_of_who_waits_for_a_provider(live: Live) -> None:
    """For so long that an hour more would be too long to wait for it."""
    orders, names = Orders(live), ("relay", "worker-payments", "worker-payments-2")
    with live.stack.supervisor.held("payments"):
        orders.place(orders=3)
        live.wait_for(lambda: outages("payments"), "payments knows that its provider is away")
        Outage.objects.update(since=timezone.now() - timedelta(seconds=settings.OUTAGE_LIMIT - HOUR / 2))
        for by in (HOUR, -HOUR):
            with processes(live, *names, by=by):
                time.sleep(2)
        counted = Saga.objects.filter(order__in=orders.ends).aggregate(sum=Sum("attempt"))["sum"]
        assert counted <= 2 * IN_A_ROW  # those by which each of two workers has found out
    orders.end_well()
