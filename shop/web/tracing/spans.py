"""Each order's trace, from its timeline.

Its id is the order's; each event is a span, whose id is in the event's and whose parent is the event that it follows
from. So whoever reads a row again tells the same span, and nobody needs to pass a context on. Nothing is about people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orders.models import Order, TimelineEntry
from orders.process import DONE_BY, MIRROR, OPERATIONS, PROCESS, REFUSED_BY
from shop.messaging.events import StepFailed
from shop.messaging.tasks import service_of

ROOT = "order"
AT_THE_END = {PROCESS[-1].done.__name__, MIRROR[-1].done.__name__}  # nothing follows from these
REFUSALS = {event.__name__ for event in REFUSED_BY}
OPERATION_OF = {
    **{done.__name__: operation for operation, done in DONE_BY.items()},
    **{step.refused.__name__: step.operation for step in PROCESS if step.refused},
}
LOW = (1 << 64) - 1  # of an id of version 7: what is random, and no time
EVENLY = 1 << 56


@dataclass(frozen=True)
class Span:
    """``trouble``: the sentence that says what went wrong. ``sent``: when the message that led to it was."""

    trace: int
    id: int
    parent: int | None
    service: str
    name: str
    began: datetime
    ended: datetime
    attributes: Mapping[str, str | int | float]
    trouble: str = ""
    sent: datetime | None = None


def told_by(first: int, last: int, share: float = 1.0) -> list[Span]:
    """Of the timelines' rows above ``first``, up to ``last``, and of this share of the orders. Three statements."""
    fresh = dict(
        TimelineEntry.objects.order_by().filter(id__gt=first, id__lte=last).values_list("id", "order_id")
    )
    found = Order.objects.only("uuid", "style", "status", "placed_at").in_bulk(set(fresh.values()))
    orders = {key: order for key, order in found.items() if is_told(order.uuid, share)}
    timelines: dict[int, list[TimelineEntry]] = defaultdict(list)
    for entry in TimelineEntry.objects.filter(order_id__in=orders):
        timelines[entry.order_id].append(entry)
    return [
        span for key, entries in timelines.items() for span in _of_order(orders[key], entries, fresh.keys())
    ]


def is_told(order: UUID, share: float) -> bool:
    """Of an order all is told, or nothing; whoever asks, and whenever."""
    return order.int % EVENLY < share * EVENLY


def _of_order(order: Order, entries: Sequence[TimelineEntry], fresh: Iterable[int]) -> Iterator[Span]:
    happened = {entry.event_id: entry.at for entry in entries}
    requests = _requests(entries)
    failed: dict[str, int] = defaultdict(int)
    for entry in entries:
        operation = _operation(entry)
        if entry.id in fresh:
            about = {
                **_about(order, requests[entry.event_id]),
                "shop.event": entry.event,
                "shop.event.id": str(entry.event_id),
                **({"shop.attempt": failed[operation] + 1} if operation in OPERATIONS else {}),
                **({"celery.task.id": str(entry.task)} if entry.task else {}),
                **_waits(entry, happened.get(entry.cause) if entry.cause else None),
            }
            yield _of_event(order, entry, operation, about)
            if entry.event in AT_THE_END:
                yield _whole(order, entries, requests)
        if entry.event == StepFailed.__name__ and not _only_waits(entry, operation):
            failed[operation] += 1


def _of_event(
    order: Order, entry: TimelineEntry, operation: str, about: Mapping[str, str | int | float]
) -> Span:
    asked = order.placed_at if entry.event == PROCESS[0].done.__name__ else entry.at
    began = entry.began_at or entry.sent_at or asked
    return Span(
        trace=order.uuid.int,
        id=entry.event_id.int & LOW,
        parent=(entry.cause or order.uuid).int & LOW,
        service=entry.service,
        name=operation.rpartition(".")[2] or entry.event,
        began=min(began, entry.at),
        ended=entry.at,
        attributes=about,
        trouble=entry.text if entry.event in REFUSALS or entry.event == StepFailed.__name__ else "",
        sent=entry.sent_at,
    )


def _whole(order: Order, entries: Sequence[TimelineEntry], requests: Mapping[UUID, str]) -> Span:
    """The order itself, from placed to its end."""
    refused = next((entry.text for entry in entries if entry.event in REFUSALS), "")
    first = min(order.placed_at, *(entry.began_at or entry.at for entry in entries))
    return Span(
        trace=order.uuid.int,
        id=order.uuid.int & LOW,
        parent=None,
        service=service_of(PROCESS[0].operation),
        name=ROOT,
        began=first,
        ended=max(entry.at for entry in entries),
        attributes=_about(order, requests[entries[0].event_id]) | {"shop.order.status": order.status},
        trouble=refused,
    )


def _about(order: Order, request: str) -> dict[str, str | int | float]:
    about = {"shop.order.id": str(order.uuid), "shop.order.number": order.number, "shop.style": order.style}
    return {**about, **({"shop.request.id": request} if request else {})}


def _requests(entries: Sequence[TimelineEntry]) -> dict[UUID, str]:
    """By event, the id of the request that it goes back to; it is noted only where it began."""
    found: dict[UUID, str] = {}
    for entry in entries:
        found[entry.event_id] = entry.request or (found.get(entry.cause, "") if entry.cause else "")
    return found


def _waits(entry: TimelineEntry, cause: datetime | None) -> dict[str, float]:
    """Where the time went before the work and in it, in s."""
    between = {
        "shop.waited.outbox": (cause, entry.sent_at),
        "shop.waited.queue": (entry.sent_at, entry.began_at),
        "shop.waited": (cause, entry.began_at),
    }
    waited = {
        name: max(0.0, round((until - since).total_seconds(), 4))
        for name, (since, until) in between.items()
        if since and until
    }
    return waited | ({"shop.outside": entry.outside} if entry.outside else {})


def _operation(entry: TimelineEntry) -> str:
    if entry.event == StepFailed.__name__:
        return entry.text.partition(" ")[0]
    return OPERATION_OF.get(entry.event, "")


def _only_waits(entry: TimelineEntry, operation: str) -> bool:
    """A provider is away; that counts as no attempt."""
    return entry.text.startswith(f"{operation} waits: ")
