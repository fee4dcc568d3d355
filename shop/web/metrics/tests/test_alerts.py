"""The files of docs/monitoring: they parse, what they read is exported, each alert comes when it should and only then."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from prometheus_client import CollectorRegistry, Metric, generate_latest

from orders.models import Order
from shop.messaging.outages import Outage
from shop.web.control.boxes import Boxes
from shop.web.control.broker import Broker
from shop.web.metrics import families
from shop.web.metrics.events import Events
from shop.web.metrics.standing import InFlight, Standing
from shop.web.metrics.tests.promql import Evaluator, Scrape, names_in, scraped

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "monitoring"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
DASHBOARD = json.loads((FOLDER / "grafana" / "shop.json").read_text())
SHOWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
COMMANDS = {*get_commands(), "doctor"}
NOW = datetime.now(UTC)
MINUTES = 10 * 60.0


class World:
    """A shop as the exporter sees it, at rest; a situation changes it. The metrics of it are the exporter's own."""

    def __init__(self) -> None:
        self.events = Events(settings.STYLES)
        self.up: float | None = 1.0
        self.looked = time.time()
        none = dict.fromkeys(("unconfirmed", "failing", "parked", "dead", "silent"), 0)
        self.boxes = {name: Boxes(service=name, oldest=None, **none) for name in settings.SERVICES}
        workers: dict[str, int | None] = dict.fromkeys(settings.SERVICES, 1)
        self.sums = [
            ("http_requests", ["api-orders", "POST", "202"], 100),
            ("http_requests", ["api-orders", "POST", "503"], 0),
            *(("provider_calls", [name, how], 100) for name in ("payments",) for how in ("answered",)),
            ("provider_calls", ["payments", "in vain"], 0),
        ]
        self.standing = Standing(
            now=NOW,
            in_flight=[],
            boxes=self.boxes,
            lags=dict.fromkeys(settings.SERVICES, 0.1),
            outages={},
            relays=1,
            broker=Broker(True, dict.fromkeys(settings.SERVICES, 0), workers),
            sums=self.sums,
        )

    def scrape(self) -> Scrape:
        found: list[Metric] = [
            families.build(), *families.of_events(self.events), *families.of_standing(self.standing),
            *families.of_looking(0.1, self.looked),
        ]  # fmt: skip

        class Found(CollectorRegistry):
            def collect(self) -> Any:
                return iter(found)

        scrape = dict(scraped(generate_latest(Found()).decode()))
        if self.up is not None:
            scrape["up"] = {frozenset({("job", "shop")}): self.up}
        return scrape

    def box(self, **changes: Any) -> None:
        known = vars(self.boxes["payments"])
        self.boxes["payments"] = Boxes(**{**known, **changes})

    def flying(self, **changes: int) -> None:
        counts = {"count": 3, "waiting": 0, "overdue": 0, "retried": 0, **changes}
        status = str(Order.Status.PLACED)
        self.standing.in_flight = [InFlight(settings.STYLES[0], status, oldest=NOW, **counts)]

    def tally(self, name: str, labels: list[str], times: int) -> None:
        self.standing.sums = [*self.sums, (name, labels, times)]

    def slow(self) -> None:
        key = next(iter(self.events.steps.buckets))
        self.events.steps.add(key, len(self.events.steps.bounds) - 1, 100, 9_000.0)


def _set(**changes: Any) -> Callable[[World], None]:
    def happen(world: World) -> None:
        for name, value in changes.items():
            setattr(world.standing, name, value)

    return happen


def _count(sums: str, key: tuple[str, ...], times: int) -> Callable[[World], None]:
    def happen(world: World) -> None:
        getattr(world.events, sums)[key] += times
        world.events.placed[settings.STYLES[0],] += 100
        world.events.ended[next(iter(world.events.ended))] += 100

    return happen


def _placed_only(world: World) -> None:
    world.events.placed[settings.STYLES[0],] += 100


def _no_database(world: World) -> None:
    del world.boxes["payments"]


def _queues(length: int, alive: int | None) -> Broker:
    return Broker(True, {"payments": length}, {"payments": alive})


AWAY = Outage("The carrier", NOW - timedelta(minutes=6), "can't be reached", False, True)
SITUATIONS: dict[str, Callable[[World], None]] = {
    "MetricsAway": lambda world: setattr(world, "up", 0.0),
    "MetricsStale": lambda world: setattr(world, "looked", time.time() - 300),
    "DatabaseAway": _no_database,
    "BrokerAway": _set(broker=Broker(False)),
    "NoRelay": _set(relays=0),
    "NoWorker": _set(broker=_queues(0, 0)),
    "OrdersWaitForAPerson": lambda world: world.flying(waiting=1),
    "OrdersOverdue": lambda world: world.flying(overdue=1),
    "OrdersDoNotEnd": _placed_only,
    "OrdersStandStill": _count("resumed", (settings.STYLES[0],), 100),
    "OutboxAges": lambda world: world.box(unconfirmed=1, oldest=timedelta(seconds=61)),
    "InboxLags": _set(lags={"payments": 31.0}),
    "QueueGrows": _set(broker=_queues(101, 1)),
    "MessagesParked": lambda world: world.box(parked=1),
    "DeadLetters": lambda world: world.box(dead=1),
    "SomebodyIsSilent": lambda world: world.box(silent=1),
    "ProviderAway": _set(outages={"shipping": AWAY}),
    "ProviderFails": lambda world: world.tally("provider_calls", ["payments", "in vain"], 20),
    "DoorFails": lambda world: world.tally("http_requests", ["api-orders", "POST", "503"], 2),
    "ManyRefusals": lambda world: _count("refused", next(iter(world.events.refused)), 40)(world),
    "StepSlow": World.slow,
}


def firing(world: World, before: Scrape) -> set[str]:
    evaluator = Evaluator(before, world.scrape(), MINUTES, time.time())
    return {name for name, rule in RULES.items() if evaluator.of(rule["expr"])}


def test_nothing_fires_while_all_is_well() -> None:
    world = World()
    assert firing(world, world.scrape()) == set()


@pytest.mark.parametrize("alert", RULES)
def test_each_alert_fires_when_it_should_and_no_other_does(alert: str) -> None:
    world = World()
    before = world.scrape()
    SITUATIONS[alert](world)
    assert firing(world, before) == {alert}


def test_there_is_no_alert_where_the_metrics_are_missing_but_that_they_are() -> None:
    assert firing(World(), {}) == set()
    silent = Evaluator({}, {}, MINUTES, time.time())
    assert {name for name, rule in RULES.items() if silent.of(rule["expr"])} == {"MetricsAway"}


def test_orders_that_wait_for_a_provider_are_not_overdue() -> None:
    world = World()
    before = world.scrape()
    world.flying(overdue=1)
    world.standing.outages = {"shipping": AWAY}
    assert firing(world, before) == {"ProviderAway"}


@pytest.mark.parametrize("alert", RULES)
def test_each_alert_says_what_to_do_with_commands_that_there_are(alert: str) -> None:
    rule = RULES[alert]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    told = rule["annotations"]["runbook"]
    named = re.findall(r"manage\.py (\w+)", told)
    assert named or "/admin/" in told or "Ask the provider" in told
    assert set(named) <= COMMANDS


def test_alerts_and_dashboard_read_what_is_exported() -> None:
    exported = {*World().scrape(), "up"}
    for expression in (*(rule["expr"] for rule in RULES.values()), *SHOWN):
        names = names_in(expression)
        assert names, expression
        assert names <= exported, expression
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
