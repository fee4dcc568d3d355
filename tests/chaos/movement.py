"""Which orders waited for whom at a moment, and when they went on: read afterwards, from the timelines, so nothing is
missed and nothing is in the way of what is measured. An event's time is that of the process that published it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from django.db.models import Q

from orders.models import Order, TimelineEntry
from orders.process import PROCESS, Step

STEP_OF = {step.done.__name__: step for step in PROCESS}
BY_WORKERS = {
    name: step for name, step in STEP_OF.items() if step is not PROCESS[0]
}  # the first is by who places

Times = Mapping[str, datetime]  # of one order: when each event happened


class Wait(NamedTuple):
    """An order that has come so far that it was the turn of ``step``, by the events of these services (``told_by``), the
    last of them at ``since``. ``over``: when the step was done; None: never.
    """

    order: int
    step: Step
    told_by: set[str]
    since: datetime
    over: datetime | None

    def seconds(self, since: datetime) -> float:
        return (self.over - since).total_seconds() if self.over else math.inf


def now() -> datetime:
    return datetime.now(UTC)


def waits_at(moment: datetime) -> list[Wait]:
    """All waits of all orders that were open. Of what happens side by side an order can wait for both."""
    open_then = Q(ended_at__isnull=True) | Q(ended_at__gte=moment)
    orders = dict(Order.objects.filter(open_then, placed_at__lte=moment).values_list("pk", "style"))
    times: dict[int, dict[str, datetime]] = defaultdict(dict)
    entries = TimelineEntry.objects.filter(order__in=[*orders], event__in=[*STEP_OF])
    for order, event, at in entries.order_by("-at").values_list("order", "event", "at"):
        times[order][event] = at
    return [wait for order, style in orders.items() for wait in _turns(order, style, times[order], moment)]


def _turns(order: int, style: str, times: Times, moment: datetime) -> Iterator[Wait]:
    def happened(step: Step) -> bool:
        name = step.done.__name__
        return name in times and times[name] <= moment

    for before, step in pairwise(PROCESS):
        joins = step.after if style == "choreography" else ()
        prior = [STEP_OF[event.__name__] for event in joins] or [before]
        if not happened(step) and all(happened(one) for one in prior):
            since = max(times[one.done.__name__] for one in prior)
            over = times.get(step.done.__name__)
            yield Wait(order, step, {one.service for one in prior}, since, over)


def longest(waits: Iterable[Wait], since: datetime) -> float:
    """s until the last of them was over; 0: nobody waited."""
    return max((wait.seconds(since) for wait in waits), default=0.0)


def story(waits: Sequence[Wait], since: datetime) -> str:
    """How it went with the order that waited longest: where to look when a goal was missed."""
    if not waits:
        return ""
    order = Order.objects.get(pk=max(waits, key=lambda wait: wait.seconds(since)).order)
    lines = [
        f"{(entry.at - since).total_seconds():+8.2f} s  {entry.event}: {entry.text[:90]}"
        for entry in order.timeline.all()
    ]
    return "\n".join([f"    {order.number}, {order.style}", *(f"    {line}" for line in lines)])


def first_event(service: str, since: datetime) -> float:
    """s until the service had done something again."""
    own = [name for name, step in BY_WORKERS.items() if step.service == service]
    entries = TimelineEntry.objects.filter(event__in=own, at__gt=since).order_by("at")
    first = entries.values_list("at", flat=True).first()
    return (first - since).total_seconds() if first else math.inf


def events(begin: datetime, end: datetime) -> list[tuple[str, datetime]]:
    """What happened meanwhile: by which service, and when."""
    entries = TimelineEntry.objects.filter(event__in=[*STEP_OF], at__gte=begin, at__lt=end)
    return [(STEP_OF[event].service, at) for event, at in entries.values_list("event", "at")]


def per_second(some: Sequence[tuple[str, datetime]], begin: datetime, end: datetime) -> dict[str, float]:
    counts = Counter(service for service, _ in some)
    return {name: round(count / (end - begin).total_seconds(), 1) for name, count in counts.items()}


def slowest_placed(begin: datetime, end: datetime) -> float:
    """s from being placed to its end, of the order that took longest of those placed meanwhile."""
    orders = Order.objects.filter(placed_at__gte=begin, placed_at__lt=end)
    took = [
        (ended - placed).total_seconds() if ended else math.inf
        for placed, ended in orders.values_list("placed_at", "ended_at")
    ]
    return max(took, default=0.0)


def p95(values: Iterable[float]) -> float:
    """The nearest rank: of 20 values the 19th."""
    ordered = sorted(values)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]
