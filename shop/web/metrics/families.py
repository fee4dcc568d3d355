"""Each metric: its name, what it says, and where it is taken from. docs/monitoring has the alerts that read them."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import django
from django.conf import settings
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from orders.models import Order
from orders.process import ENDS
from shop.messaging.outages import outages_of
from shop.web.metrics.events import Events, Key, Times
from shop.web.metrics.standing import Standing

FLYING = [status for status in Order.Status if status not in ENDS]
TALLIED = {
    "http_requests": ("What the web process has answered.", ("view", "method", "status")),
    "provider_calls": ("Calls to the provider of a service: answered, or in vain.", ("service", "outcome")),
}


def of_events(events: Events) -> Iterator[Metric]:
    """Sums since this process began."""
    yield _counter("orders_placed", "Orders the door has accepted.", ("style",), events.placed)
    yield _counter("orders_ended", "Orders that have ended.", ("style", "status"), events.ended)
    yield _counter("events", "Events noted in the orders' timelines.", ("event", "style"), events.happened)
    yield _counter("refusals", "Refusals, by the event that tells of it.", ("event", "style"), events.refused)
    yield _counter(
        "resumes", "Times that an order stood still and was taken up again.", ("style",), events.resumed
    )
    told = "Attempts at a step that failed: tried again, waiting for a provider, or parked."
    yield _counter("step_failures", told, ("service", "outcome"), events.failed)
    step = ("step", "service", "style")
    yield _histogram(
        "step_seconds", "From what led to a step until it was done, by its position.", step, events.steps
    )
    yield _histogram(
        "order_seconds", "From placing until the order has ended.", ("style", "status"), events.orders
    )


def of_standing(found: Standing) -> Iterator[Metric]:
    yield from _of_orders(found)
    yield from _of_boxes(found)
    yield from _of_machinery(found)
    for name, (told, labels) in TALLIED.items():
        sums = {tuple(values): count for one, values, count in found.sums if one == name}
        yield _counter(name, told, labels, {key: n for key, n in sums.items() if len(key) == len(labels)})


def _of_orders(found: Standing) -> Iterator[Metric]:
    if found.in_flight is None:
        return
    counts: dict[Key, float] = {(style, status): 0 for style in settings.STYLES for status in FLYING}
    counts |= {(row.style, row.status): row.count for row in found.in_flight}
    yield _gauge("orders_in_flight", "Orders that have not ended.", ("style", "status"), counts)
    for name, told in (
        ("waiting", "Orders that are parked: they wait for a person."),
        ("overdue", "Orders that it was time to take up again, and nobody has."),
        ("retried", "Orders under way of which an attempt has failed."),
    ):
        sums = {
            (style,): sum(getattr(row, name) for row in found.in_flight if row.style == style)
            for style in settings.STYLES
        }
        yield _gauge(f"orders_{name}", told, ("style",), sums)
    ages = [(found.now - row.oldest).total_seconds() for row in found.in_flight if found.now]
    yield _gauge(
        "order_oldest_seconds",
        "Age of the oldest order in flight; 0: there is none.",
        (),
        {(): max(ages, default=0)},
    )


def _of_boxes(found: Standing) -> Iterator[Metric]:
    boxes, service = found.boxes, ("service",)
    told = "Events in a service's outbox that not all who hear them are known to have; counted up to 10,000."
    yield _gauge("outbox_events", told, service, {(name,): one.unconfirmed for name, one in boxes.items()})
    ages = {(name,): one.oldest.total_seconds() if one.oldest else 0.0 for name, one in boxes.items()}
    yield _gauge("outbox_oldest_seconds", "Age of the oldest of them.", service, ages)
    for name, attribute, told in (
        ("inbox_failing", "failing", "Messages that failed, and are tried again."),
        ("inbox_parked", "parked", "Messages that a service has given up: they wait for a person."),
        ("dead_letters", "dead", "Messages that nothing could be made of."),
        (
            "silent_reactions",
            "silent",
            "Reactions to a service's events that are overdue: somebody is silent.",
        ),
    ):
        counts = {(box,): float(getattr(one, attribute)) for box, one in boxes.items()}
        yield _gauge(name, told, service, counts)
    told = (
        "The longest way of an event to this service, of the last messages it has handled; 0: of none lately."
    )
    yield _gauge("inbox_lag_seconds", told, service, {(name,): lag for name, lag in found.lags.items()})
    up = {(name,): float(name in boxes) for name in settings.SERVICES}
    yield _gauge("database_up", "Whether the database of a service answers.", service, up)


def _of_machinery(found: Standing) -> Iterator[Metric]:
    away: dict[Key, float] = {(name,): 0.0 for name in settings.SERVICES if outages_of(name)}
    if found.outages is not None and found.now:
        away |= {
            (name,): max(0.0, (found.now - one.since).total_seconds()) for name, one in found.outages.items()
        }
        told = "For how long the provider of a service has been away; 0: it is not."
        yield _gauge("provider_away_seconds", told, ("service",), away)
    if found.relays is not None:
        yield _gauge("relays", "Relays that are connected and move.", (), {(): found.relays})
    broker = found.broker
    if broker.answers is not None:
        yield _gauge("broker_up", "Whether the broker answers.", (), {(): float(broker.answers)})
    queues = {(name,): float(length) for name, length in broker.queues.items()}
    yield _gauge("queue_messages", "Messages in a service's queue.", ("service",), queues)
    workers = {(name,): float(alive) for name, alive in broker.workers.items() if alive is not None}
    yield _gauge("workers", "Workers of a service that have answered lately.", ("service",), workers)


def build() -> Metric:
    version = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
    told = {"version": version, "django": django.get_version(), "python": platform.python_version()}
    return InfoMetricFamily(
        "shop_build", "What runs here; style: of new orders.", {**told, "style": settings.FULFILLMENT_STYLE}
    )


def of_looking(took: float, at: float) -> Iterator[Metric]:
    yield _gauge("look_seconds", "How long it took to find all this out.", (), {(): took})
    yield _gauge("look_timestamp_seconds", "When it was found out, in Unix s.", (), {(): at})


def _gauge(name: str, told: str, labels: Sequence[str], values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(f"shop_{name}", told, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, told: str, labels: Sequence[str], values: Mapping[Key, int]) -> Metric:
    family = CounterMetricFamily(f"shop_{name}", told, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histogram(name: str, told: str, labels: Sequence[str], times: Times) -> Metric:
    family = HistogramMetricFamily(f"shop_{name}", told, labels=labels)
    for key, counts in times.buckets.items():
        total, buckets = 0, []
        for bound, count in zip([*map(str, times.bounds), "+Inf"], counts, strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric(key, buckets, times.sums[key])
    return family
