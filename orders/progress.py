"""orders hears every event, in both styles: so the order's status, its saga and its timeline are kept.

Events may come late, twice or in another sequence than they happened; the furthest one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import UTC, datetime
from uuid import UUID

from orders import saga as sagas
from orders.events import OrderStalled
from orders.models import BY, Order, Saga, TimelineEntry
from orders.process import (
    BACKWARD,
    DONE_BY,
    FORWARD,
    NOTICE,
    REACHED_BY,
    REFUSED_BY,
    UNDONE_BY,
    WISH,
    status_at,
)
from orders.standing import Standing, locked, write
from orders.webhooks.noting import Changes
from shipping.events import CancellationRefused
from shop.messaging.events import Event, StepFailed
from shop.messaging.origins import LATEST, Origin
from shop.messaging.outcomes import Outcome, Unavailable
from shop.messaging.recording import recording
from shop.messaging.relay import take_up_parked
from shop.messaging.rows import Row, insert
from shop.messaging.tasks import service_of
from shop.messaging.when import when

Kind = TimelineEntry.Kind
TROUBLE = (StepFailed, OrderStalled)


@when(*REACHED_BY, *UNDONE_BY, CancellationRefused, *TROUBLE, noted_in=TimelineEntry, within=10)
def note_progress(events: Sequence[Event]) -> Outcome:
    """Write the timeline, and move status and saga on, of all orders in the message, in one transaction.

    Refused are orders that nobody placed: of them there is nothing to keep.
    """
    with recording("orders"):
        orders = locked(event.ref for event in events)
        _insist_on_known(orders.values())
        before = {id: copy(order) for id, order in orders.items()}
        once = {event.id: event for event in events if event.ref.id in orders}.values()
        known = sorted(once, key=lambda event: event.at)
        entries = [_entry(orders[event.ref.id], event) for event in known]
        fresh = {id for (id,) in insert(TimelineEntry, entries, once=True, returning=("event_id",))}
        news = fresh - _overcome([event for event in known if isinstance(event, StepFailed)])
        changes = Changes()
        for event in known:
            if event.id in news:
                _note(order := orders[event.ref.id], event)
                if order.told:
                    changes.add(event, order.status)
        write([(before[id], order) for id, order in orders.items()])
        changes.store()
        if undone := [id for id, order in orders.items() if order.undo and _has_ended(before[id], order)]:
            take_up_parked(undone)
    return Outcome(refused=[event.ref for event in events if event.ref.id not in orders])


def _has_ended(before: Standing, now: Standing) -> bool:
    return before.state != now.state == Saga.State.ENDED


def _insist_on_known(orders: Iterable[Standing]) -> None:
    """In a rolling upgrade the new version may have led an order to where this one knows no way on.

    Raises:
        Unavailable: one of its workers is to note this; no attempt counts.
    """
    for order in orders:
        if order.step not in FORWARD or order.undo not in BACKWARD:
            raise Unavailable(f"{order.undo or order.step} is known to another version of the shop.")


def _overcome(failures: Sequence[StepFailed]) -> set[UUID]:
    """Those failures of which the order knows that the operation has gone well since. No clock can tell: each host has
    its own."""
    told_by = {
        failure.id: DONE_BY[failure.operation].__name__
        for failure in failures
        if failure.operation in DONE_BY
    }
    if not told_by:
        return set()
    entries = TimelineEntry.objects.filter(
        order__uuid__in=[failure.ref.id for failure in failures], event__in=set(told_by.values())
    )
    known = set(entries.values_list("order__uuid", "event"))
    return {failure.id for failure in failures if (failure.ref.id, told_by.get(failure.id)) in known}


def _note(order: Standing, event: Event) -> None:
    if isinstance(event, StepFailed):
        sagas.failed(order, event, order.now)
    elif not isinstance(event, OrderStalled):
        _move(order, event)


def _move(order: Standing, event: Event) -> None:
    if isinstance(event, CancellationRefused):
        order.cancellation_refused, order.undo = True, ""
    elif type(event) in REACHED_BY:
        order.step = max(order.step, REACHED_BY[type(event)], key=FORWARD.index)
    elif not (isinstance(event, WISH) and order.cancellation_refused):
        order.undo = max(order.undo, UNDONE_BY[type(event)], key=BACKWARD.index)
    if not order.ended:
        order.status = Order.Status.CANCELLING if order.undo else status_at(order.step)
    order.reason = (order.reason or _why_undone(event)) if order.undo else ""
    if order.undo == NOTICE.position or order.state == Saga.State.ENDED:
        sagas.ended(order)
    else:
        sagas.moved(order, event.at, order.now)


def _why_undone(event: Event) -> str:
    if isinstance(event, WISH):
        return f"{BY}{event.by}"
    return str(getattr(event, "reason", ""))[:300] if type(event) in REFUSED_BY else ""


def _kind(event: Event) -> TimelineEntry.Kind:
    if isinstance(event, TROUBLE):
        return Kind.TROUBLE
    return Kind.UNDO if type(event) in UNDONE_BY else Kind.FORWARD


def _entry(order: Standing, event: Event) -> Row:
    origin = event.origin or Origin()
    return {
        "order_id": order.id,
        "event_id": event.id,
        "at": event.at,
        "service": service_of(event.operation) if isinstance(event, StepFailed) else event.owner(),
        "event": type(event).__name__,
        "kind": _kind(event),
        "text": event.in_words()[:500],
        "cause": origin.cause,
        "task": origin.task,
        "sent_at": _moment(origin.sent),
        "began_at": _moment(origin.began),
        "outside": origin.outside,
        "request": "" if origin.cause else (origin.request or "")[:64],  # once: what follows leads back to it
    }


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds and 0 < seconds < LATEST else None
