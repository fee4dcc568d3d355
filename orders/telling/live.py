"""When an order's page has changed: what it is made of, asked in two statements for all pages that are open.

What services keep to themselves, such as an attempt that failed, is soon an event too, and so an entry of the timeline.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

from django.contrib.admin.models import LogEntry
from django.db.models import Count, Max

from orders.models import Order
from shop.base.live import Watch

SAGA = ("state", "step", "undo", "attempt", "deadline", "last_error")


def versions(keys: Collection[int]) -> Mapping[int, Hashable]:
    """Of orders, by their primary keys."""
    fields = ("pk", "status", "cancellation_refused", *(f"saga__{name}" for name in SAGA))
    rows = Order.objects.filter(pk__in=keys).values_list(*fields).annotate(entries=Count("timeline"))
    acts = _acts(keys)
    return {row[0]: (*row[1:], acts.get(str(row[0]))) for row in rows.order_by()}


def _acts(keys: Collection[int]) -> dict[str, int]:
    """The latest act of a person on each: a note changes nothing else."""
    of_orders = LogEntry.objects.filter(content_type__app_label="orders", content_type__model="order")
    rows = of_orders.filter(object_id__in=map(str, keys)).order_by().values_list("object_id")
    return dict(rows.annotate(latest=Max("pk")))


order_pages = Watch(versions)
