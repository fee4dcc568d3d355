"""What became of the orders of this run of the shop, however much of it was broken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.db.models import Count, Max, Q

from orders.models import Order, Saga
from shop.messaging.rows import now_in

MOST = 20_000  # orders looked at
GRACE = timedelta(seconds=60)  # overdue orders are taken up each second; this late, nobody will
OPEN = Q(ended_at=None)


@dataclass(frozen=True)
class Figures:
    """``lost``: nobody will take them up any more, or they are not there although they were accepted."""

    placed: int = 0
    under_way: int = 0
    completed: int = 0
    cancelled: int = 0
    for_a_person: int = 0
    lost: int = 0


def first_since(moment: datetime) -> int:
    """Orders with a larger key are of this run, and are looked at: the latest ones, where it has had very many."""
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return max(_last_before(moment), newest - MOST)


@lru_cache(maxsize=4)
def _last_before(moment: datetime) -> int:
    before = Order.objects.filter(placed_at__lt=moment).order_by("-pk").values_list("pk", flat=True)
    return before.first() or 0


def figures(after: int, accepted: Collection[int]) -> Figures:
    """Of the orders after this key. ``accepted``: keys of some that were promised to somebody."""
    late = now_in(Saga) - GRACE
    forgotten = Q(saga=None) | Q(saga__state=Saga.State.RUNNING) & (
        Q(saga__deadline=None) | Q(saga__deadline__lt=late)
    )
    found = Order.objects.filter(pk__gt=after).aggregate(
        every=Count("pk"),
        fulfilled=Count("pk", filter=Q(status=Order.Status.COMPLETED)),
        undone=Count("pk", filter=Q(status=Order.Status.CANCELLED)),
        for_a_person=Count("pk", filter=Q(saga__state__in=Saga.WAIT_FOR_A_PERSON)),
        forgotten=Count("pk", filter=OPEN & forgotten),
        open=Count("pk", filter=OPEN),
    )
    gone = len(accepted) - Order.objects.filter(pk__in=accepted).count() if accepted else 0
    return Figures(
        placed=found["every"] + gone,
        under_way=found["open"] - found["for_a_person"] - found["forgotten"],
        completed=found["fulfilled"],
        cancelled=found["undone"],
        for_a_person=found["for_a_person"],
        lost=found["forgotten"] + gone,
    )


def ended_after(after: int, moment: datetime) -> tuple[int, float | None]:
    """Of the orders under way at that moment: how many there were, and s until the last had ended; None: not all have."""
    then = Order.objects.filter(Q(pk__gt=after, placed_at__lte=moment) & (OPEN | Q(ended_at__gt=moment)))
    found = then.aggregate(all=Count("pk"), open=Count("pk", filter=OPEN), last=Max("ended_at"))
    last: datetime | None = found["last"]
    if found["open"] or last is None:
        return found["all"], None
    return found["all"], (last - moment).total_seconds()
