"""What the entries of a timeline do not say themselves: when their causes were, why the order was undone, its parcels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from orders.models import Order, TimelineEntry
from orders.process import ENDS, PER_WAREHOUSE
from orders.telling.happenings import PARCELWISE, REFUSALS
from shipping.lookups import Labels
from shop.base.lookups import ask

SAY_WHY = REFUSALS | {ENDS[Order.Status.CANCELLED].__name__}


@dataclass(frozen=True)
class Beside:
    reason: str = ""
    happened: Mapping[UUID, datetime] = field(default_factory=dict)
    tracking: Mapping[str, str] = field(default_factory=dict)

    def reason_of(self, entry: TimelineEntry) -> str:
        return self.reason if entry.event in SAY_WHY else ""

    def parcels_of(self, entry: TimelineEntry) -> list[dict[str, str]]:
        return [
            {"warehouse": code, "tracking": number}
            for code, number in self.tracking.items()
            if has_parcels(entry)
        ]

    def waited(self, entry: TimelineEntry) -> float | None:
        """s between its cause and the work on it; None: unknown."""
        cause = self.happened.get(entry.cause) if entry.cause else None
        return _seconds(cause, entry.began_at)


def worked(entry: TimelineEntry) -> float | None:
    """s of work, without those in which a provider was waited for; None: unknown."""
    length = _seconds(entry.began_at, entry.at)
    return None if length is None else max(0.0, round(length - (entry.outside or 0.0), 4))


def has_parcels(entry: TimelineEntry) -> bool:
    """Whether it tells of parcels that have tracking numbers."""
    return entry.event in PARCELWISE and entry.service == PER_WAREHOUSE.service


def beside(order: Order, entries: Sequence[TimelineEntry]) -> Beside:
    """Of these entries of an order. At most two statements."""
    happened = {entry.event_id: entry.at for entry in entries}
    missing = {entry.cause for entry in entries if entry.cause} - happened.keys()
    if missing:
        happened |= dict(order.timeline.filter(event_id__in=missing).values_list("event_id", "at"))
    found = ask(Labels, [order.uuid]).get(order.uuid) if any(map(has_parcels, entries)) else None
    return Beside(order.saga.reason, happened, found.tracking if found else {})


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return max(0.0, round((until - since).total_seconds(), 4)) if since and until else None
