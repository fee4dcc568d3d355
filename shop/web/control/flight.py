"""Orders that are not at their end: how many of which style and status, which of them need what, and why they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Left

from orders.models import Order, Saga
from orders.telling.situation import Elsewhere
from orders.telling.trouble import ATTENTION, needing

TOLD = 200  # characters of an error that tell one reason from another
REASONS = 4  # told at the most

IN_FLIGHT = Q(saga__state=Saga.State.RUNNING) | Q(saga__state__in=Saga.WAIT_FOR_A_PERSON)


@dataclass(frozen=True)
class Reason:
    """Why orders are parked, and what their last failed attempt said, as far as it tells one reason from another."""

    state: str
    error: str
    count: int


@dataclass(frozen=True)
class Flight:
    """``by``: style and status. ``kinds``: those of ``ATTENTION``. ``oldest``: how long the oldest has been under way.

    ``waiting_since``: of those that wait for a person, when each last came further, as a chart shows it.
    """

    by: Mapping[tuple[str, str], int]
    kinds: Mapping[str, int]
    oldest: timedelta | None
    reasons: Sequence[Reason]
    waiting_since: Sequence[datetime]

    @property
    def count(self) -> int:
        return sum(self.by.values())

    def of(self, *, style: str | None = None, status: str | None = None) -> int:
        return sum(n for (s, t), n in self.by.items() if style in (None, s) and status in (None, t))


def flight(around: Elsewhere) -> Flight:
    """As it is now. Three queries at the most, none of which reads an order that has ended."""
    kinds = {kind: Count("pk", filter=needing(kind, around)) for kind in ATTENTION if kind != "silent"}
    rows: list[Any] = list(
        Order.objects.filter(IN_FLIGHT)
        .order_by()
        .values("style", "status")
        .annotate(orders=Count("pk"), oldest=Min("placed_at"), **kinds)
    )
    found = Counter[str]()
    for row in rows:
        found.update({kind: row[kind] for kind in kinds})
    if around.silent:
        found["silent"] = Order.objects.filter(needing("silent", around)).count()
    waits = bool(found["parked"])
    return Flight(
        by={(row["style"], row["status"]): row["orders"] for row in rows},
        kinds={kind: found[kind] for kind in ATTENTION},
        oldest=around.now - min(row["oldest"] for row in rows) if rows else None,
        reasons=_reasons() if waits else (),
        waiting_since=_waiting_since() if waits else (),
    )


def _reasons() -> Sequence[Reason]:
    waiting = Saga.objects.filter(state__in=Saga.WAIT_FOR_A_PERSON).order_by()
    rows = waiting.values("state", error=Left("last_error", TOLD)).annotate(
        orders=Count("pk"), latest=Max("moved_at")
    )
    return [
        Reason(row["state"], row["error"], row["orders"])
        for row in rows.order_by("-orders", "-latest")[:REASONS]
    ]


def _waiting_since() -> Sequence[datetime]:
    waiting = Saga.objects.filter(state__in=Saga.WAIT_FOR_A_PERSON)
    return list(waiting.order_by("moved_at").values_list(F("moved_at"), flat=True)[:1000])
