"""A timeline as a test tells it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from orders.models import Order, Saga, TimelineEntry
from orders.telling.ahead import happenings
from orders.telling.happenings import Happening
from orders.telling.situation import Elsewhere

Tell = Callable[..., UUID]


def entry(
    order: Order, ms: int, service: str, event: str, kind: str = "forward", text: str = "", **more: Any
) -> UUID:
    """One more event of the order, so many ms after it was placed. Returns its id."""
    id: UUID = more.pop("event_id", uuid4())
    for name in ("sent_at", "began_at"):
        if name in more:
            more[name] = order.placed_at + timedelta(milliseconds=more[name])
    at = order.placed_at + timedelta(milliseconds=ms)
    told = {"text": text or f"{event} happened", "kind": kind, "service": service, "event": event}
    TimelineEntry.objects.create(order=order, event_id=id, at=at, **told, **more)
    return id


def found(
    order: Order, seconds: float = 60, parcels: dict[str, str] | None = None, **saga: Any
) -> list[Happening]:
    """As it is so many seconds after the order was placed."""
    Saga.objects.filter(order=order).update(**saga)
    now = order.placed_at + timedelta(seconds=seconds)
    around = Elsewhere(now=now, away={}, silent=(), queueing={})
    return happenings(
        Order.objects.select_related("saga").get(pk=order.pk), order.timeline.all(), around, parcels
    )
