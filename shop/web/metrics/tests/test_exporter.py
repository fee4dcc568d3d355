"""The exporter over real tables: what happened is counted once, whenever it is committed; and who may ask."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings as shop_settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections, router
from django.utils import timezone
from prometheus_client import CollectorRegistry

from orders.events import OrderStalled
from orders.models import Order, Saga, TimelineEntry
from orders.process import ENDS, PROCESS
from shop.base import tally as tallies
from shop.messaging.events import StepFailed
from shop.messaging.ids import uuid7
from shop.tools.up.ports import free_port
from shop.web.metrics import events, standing
from shop.web.metrics.exporter import Shop, listen
from shop.web.metrics.tests.promql import Scrape, scraped
from tests.processes import eventually

STYLE, OTHER = shop_settings.STYLES
FIRST, SECOND = PROCESS[0], PROCESS[1]
NOW = timezone.now()

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def order(style: str = STYLE) -> Order:
    made = Order.objects.create(
        customer_id=1, style=style, currency="GBP", total_minor=1, payment_method="pm", email="a@b.invalid",
        idempotency_key=uuid4().hex, request_digest="", placed_at=NOW,
    )  # fmt: skip
    Saga.objects.create(order=made, step=FIRST.position, moved_at=NOW, deadline=NOW + timedelta(minutes=1))
    return made


def noted(of: Order, event: type, after: float = 0.0, *, text: str = "", **more: Any) -> TimelineEntry:
    more.setdefault("service", FIRST.service)
    return TimelineEntry.objects.create(
        order=of, event_id=uuid7(), at=NOW + timedelta(seconds=after), event=event.__name__,
        kind=TimelineEntry.Kind.FORWARD, text=text, **more,
    )  # fmt: skip


def told(shop: Shop, registry: CollectorRegistry) -> Scrape:
    from prometheus_client import generate_latest

    shop.look()
    registry.register(shop)
    try:
        return scraped(generate_latest(registry).decode())
    finally:
        registry.unregister(shop)


def seen(shop: Shop, registry: CollectorRegistry, name: str, wanted: float, **labels: str) -> Scrape:
    """What is told once it tells of so many: somebody else's transaction may hold the newest rows back for a moment."""
    found: list[Scrape] = []

    def is_so() -> bool:
        found.append(told(shop, registry))
        return found[-1][name].get(frozenset(labels.items())) == wanted

    assert eventually(is_so), found[-1][name]
    return found[-1]


def of(scrape: Scrape, name: str, **labels: str) -> float:
    return scrape[name][frozenset(labels.items())]


def test_what_happens_is_counted_once_by_style_and_what_was_before_is_history(
    registry: CollectorRegistry,
) -> None:
    noted(order(), FIRST.done)
    shop = Shop()
    assert of(told(shop, registry), "shop_orders_placed_total", style=STYLE) == 0
    placed = noted(one := order(OTHER), FIRST.done)
    noted(one, SECOND.done, 0.2, cause=placed.event_id)
    noted(one, OrderStalled)
    (status, end), *_ = ENDS.items()
    noted(one, end, 2.0)
    seen(shop, registry, "shop_orders_ended_total", 1, style=OTHER, status=status)
    for _ in range(2):
        found = told(shop, registry)
        assert of(found, "shop_orders_placed_total", style=OTHER) == 1
        assert of(found, "shop_orders_placed_total", style=STYLE) == 0
        assert of(found, "shop_orders_ended_total", style=OTHER, status=status) == 1
        assert of(found, "shop_events_total", style=OTHER, event=SECOND.done.__name__) == 1
        assert of(found, "shop_resumes_total", style=OTHER) == 1
        step = {"style": OTHER, "step": SECOND.position, "service": SECOND.service}
        assert of(found, "shop_step_seconds_count", **step) == 1
        assert of(found, "shop_step_seconds_sum", **step) == pytest.approx(0.2)
        assert of(found, "shop_step_seconds_bucket", le="0.1", **step) == 0
        assert of(found, "shop_step_seconds_bucket", le="0.25", **step) == 1
        assert of(found, "shop_order_seconds_sum", style=OTHER, status=status) == pytest.approx(2.0)


def test_attempts_that_fail_are_told_apart(registry: CollectorRegistry) -> None:
    shop, one = Shop(), order()
    shop.look()
    for waits, parked in ((True, False), (False, True), (False, False)):
        event = StepFailed(
            ref=one.ref, operation=SECOND.operation, error="E: waits: no", waits=waits, parked=parked
        )
        noted(one, StepFailed, text=event.in_words(), service=SECOND.service)
    failed = {"service": SECOND.service, "outcome": events.RETRIED}
    found = seen(shop, registry, "shop_step_failures_total", 1, **failed)["shop_step_failures_total"]
    by = {
        dict(labels)["outcome"]: n for labels, n in found.items() if dict(labels)["service"] == SECOND.service
    }
    assert by == {events.WAITS: 1, events.PARKED: 1, events.RETRIED: 1}


def test_what_is_committed_late_is_counted_too(registry: CollectorRegistry) -> None:
    """The first of two rows is committed after the second has been seen."""
    shop, one, late = Shop(), order(), order()
    shop.look()
    connection = connections[router.db_for_write(Order)]
    with psycopg.connect(**_parameters(connection)) as other:
        other.execute(
            f"INSERT INTO {TimelineEntry._meta.db_table} (order_id, event_id, at, service, event, kind, text) "
            "VALUES (%s, %s, now(), %s, %s, 'forward', '')",
            [late.pk, uuid7(), FIRST.service, FIRST.done.__name__],
        )
        noted(one, FIRST.done)
        for _ in range(2):
            early = of(told(shop, registry), "shop_events_total", style=STYLE, event=FIRST.done.__name__)
            assert early == 0  # it waits for the other
        other.commit()
    seen(shop, registry, "shop_events_total", 2, style=STYLE, event=FIRST.done.__name__)


def test_many_rows_are_taken_in_parts_and_their_times_from_a_sample(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "AT_ONCE", 7)
    monkeypatch.setattr(events, "TIMED", 1)
    shop = Shop()
    shop.look()
    for _ in range(10):
        placed = noted(one := order(), FIRST.done)
        noted(one, SECOND.done, 0.3, cause=placed.event_id)
    found = seen(shop, registry, "shop_events_total", 10, style=STYLE, event=SECOND.done.__name__)
    step = {"style": STYLE, "step": SECOND.position, "service": SECOND.service}
    count = of(found, "shop_step_seconds_count", **step)
    assert of(found, "shop_step_seconds_sum", **step) == pytest.approx(0.3 * count)


def test_how_orders_stand(registry: CollectorRegistry) -> None:
    for state, deadline in ((Saga.State.PARKED, None), (Saga.State.RUNNING, NOW - timedelta(minutes=1))):
        Saga.objects.filter(order=order()).update(state=state, deadline=deadline)
    Saga.objects.filter(order=order()).update(state=Saga.State.ENDED)
    found = told(Shop(), registry)
    assert of(found, "shop_orders_in_flight", style=STYLE, status=Order.Status.PLACED) == 2
    assert of(found, "shop_orders_waiting", style=STYLE) == 1
    assert of(found, "shop_orders_overdue", style=STYLE) == 1
    assert of(found, "shop_relays") == 0
    assert set(found["shop_database_up"].values()) == {1.0}


def test_that_the_database_is_away_is_said_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(why: str) -> None:
        def ask() -> int:
            raise OperationalError(f"{why}\nand more")

        assert standing.asked(ask, 7) == 7

    clock = 1e9
    monkeypatch.setattr("shop.base.saying.time.monotonic", lambda: clock)
    for _ in range(3):
        away("refused")
    away("no such host")
    clock += 61
    away("refused")
    said = [record.getMessage().partition(": ")[2] for record in caplog.records]
    assert said == ["refused", "no such host", "refused"]


def test_what_processes_count_is_summed_up_in_redis(
    registry: CollectorRegistry, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_PREFIX = f"{uuid4().hex}:"
    monkeypatch.setattr(tallies, "EVERY", 0.01)
    processes = [tallies.Tally(), tallies.Tally()]
    for one in processes:
        one.add("http_requests", "api-orders", "POST", "202", times=2)
    for one in processes:
        while thread := one._thread:
            thread.join(5)
    found = told(Shop(), registry)
    assert of(found, "shop_http_requests_total", view="api-orders", method="POST", status="202") == 4


# --- Who may ask --------------------------------------------------------------------------------------------------


@pytest.fixture
def address(settings: Any) -> Iterator[str]:
    settings.METRICS_BASIC_AUTH = "metrics:secret"
    port = free_port()
    server = listen(CollectorRegistry(), "127.0.0.1", port)
    yield f"127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def status(url: str, authorization: str = "") -> int:
    request = urllib.request.Request(url, headers={"Authorization": authorization} if authorization else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_who_knows_the_password_may_read(address: str) -> None:
    assert status(f"http://{address}/metrics") == 401
    assert status(f"http://{address}/metrics", "Basic bWV0cmljczp3cm9uZw==") == 401
    assert status(f"http://{address}/metrics", "Basic bWV0cmljczpzZWNyZXQ=") == 200
    assert status(f"http://{address}/livez") == 200
    assert status(f"http://{address}/other") == 404


@pytest.mark.parametrize("secret", ["", "metrics:"])
def test_beyond_this_computer_a_password_is_asked_for(secret: str, settings: Any) -> None:
    settings.METRICS_BASIC_AUTH = secret
    with pytest.raises(CommandError, match="set METRICS_BASIC_AUTH to user:password"):
        call_command("metrics", host="0.0.0.0", port=free_port())


def _parameters(connection: Any) -> dict[str, Any]:
    known = connection.get_connection_params()
    return {name: known[name] for name in ("host", "port", "user", "password", "dbname") if known.get(name)}
