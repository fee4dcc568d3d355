"""Waiting until imported orders are at an end, and what became of them. Set by set: never a query per order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db.models import Count, Max, Min, Sum

from orders.models import Order, Saga
from shop.tools.invoices.tally import Named, Tally

CHUNK = 1000
POLL = 0.5  # s


@dataclass
class Ends:
    """``unfinished``: neither ended nor parked for a person."""

    completed: int = 0
    cancelled: Counter[str] = field(default_factory=Counter)  # by reason
    parked: int = 0
    unfinished: int = 0
    total_minor: int = 0
    completed_minor: int = 0
    seconds: float | None = None  # from the first of this run placed to the last ended

    @property
    def all_ended(self) -> bool:
        return not (self.parked or self.unfinished)


def wait(keys: Sequence[int], timeout: float, progress: Callable[[int], None]) -> None:
    """Wait until every order has ended or is parked, at most so many seconds; says how many have yet to."""
    until = time.monotonic() + timeout
    left = list(keys)
    while left:
        left = [key for some in _chunks(left) for key in _still_running(some)]
        progress(len(left))
        rest = until - time.monotonic()
        if not left or rest <= 0:
            return
        time.sleep(min(POLL, rest))


def ends_of(tally: Tally) -> Ends:
    """How all orders of an import, new and old, stand now; and what became of its cancellations."""
    ends = Ends()
    first: datetime | None = None
    last: datetime | None = None
    for keys in _chunks(tally.orders):
        sagas = Saga.objects.filter(order__in=keys).order_by()
        rows = sagas.values_list("state", "order__status", "reason")
        for state, status, reason, count, minor in rows.annotate(
            count=Count("pk"), minor=Sum("order__total_minor")
        ):
            ends.total_minor += minor
            if state != Saga.State.ENDED:
                ends.parked += count if state in Saga.WAIT_FOR_A_PERSON else 0
                ends.unfinished += count if state == Saga.State.RUNNING else 0
            elif status == Order.Status.COMPLETED:
                ends.completed += count
                ends.completed_minor += minor
            else:
                ends.cancelled[_kind(reason)] += count
    for keys in _chunks(tally.placed):
        times = Order.objects.filter(pk__in=keys).aggregate(first=Min("placed_at"), last=Max("ended_at"))
        first = min(filter(None, (first, times["first"])), default=None)
        last = max(filter(None, (last, times["last"])), default=None)
    if first and last:
        ends.seconds = (last - first).total_seconds()
    _settle_cancellations(tally)
    return ends


def _still_running(keys: Sequence[int]) -> list[int]:
    return list(Saga.objects.filter(order__in=keys, state=Saga.State.RUNNING).values_list("order", flat=True))


def _settle_cancellations(tally: Tally) -> None:
    statuses = Order.objects.filter(pk__in=tally.asked).values_list("status", flat=True)
    became = {Order.Status.CANCELLED: Named.CANCELLED, Order.Status.COMPLETED: Named.TOO_LATE}
    for status in statuses:
        tally.named[Named.REQUESTED] -= 1
        tally.named[became.get(Order.Status(status), Named.REQUESTED)] += 1


def _kind(reason: str) -> str:
    """A reason without what differs per order, to count by: "out of stock: 22139, 21134" is "out of stock"."""
    return reason.partition(":")[0] or "no reason noted"


def _chunks(keys: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(keys)
    while some := list(islice(rest, CHUNK)):
        yield some
