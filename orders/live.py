"""When an order's page has changed: what it is made of, asked in one statement for all pages that are open.

What services keep to themselves, such as an attempt that failed, is soon an event too, and so an entry of the timeline.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

from django.db.models import Count

from orders.models import Order
from shop.base.live import Watch

SAGA = ("state", "step", "undo", "attempt", "deadline", "last_error")


def versions(keys: Collection[int]) -> Mapping[int, Hashable]:
    """Of orders, by their primary keys."""
    fields = ("pk", "status", "cancellation_refused", *(f"saga__{name}" for name in SAGA))
    rows = Order.objects.filter(pk__in=keys).values_list(*fields).annotate(entries=Count("timeline"))
    return {row[0]: row[1:] for row in rows.order_by()}


order_pages = Watch(versions)
