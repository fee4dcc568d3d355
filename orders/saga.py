"""The care of sagas: until when an order must have come further, and what is done when it has not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from orders.events import OrderStalled
from orders.models import Order, Saga
from orders.process import BACKWARD, FORWARD, FORWARD_OPERATIONS, OPERATIONS, awaited
from orders.silence import close_answered, note_silent
from orders.standing import Standing
from shop.base.databases import alias_of
from shop.messaging import monitoring
from shop.messaging.events import StepFailed
from shop.messaging.inbox import send_again
from shop.messaging.outages import waited_for
from shop.messaging.outbox import not_yet_sent
from shop.messaging.reach import only_holding_up, when_back
from shop.messaging.recording import recording
from shop.messaging.relay import take_up
from shop.messaging.retries import furthest, next_try
from shop.messaging.rows import update
from shop.messaging.sending import crowded_services
from shop.messaging.sweeps import sweep
from shop.messaging.tables import inbox_of
from shop.messaging.tasks import service_of

State = Saga.State
WOKEN_AT_ONCE = 400
QUEUES_AT_MOST = timedelta(
    seconds=12 * settings.SAGA_DEADLINE
)  # then a saga is taken up, whatever waits in the queues
# What no queue explains is looked at so often at the least: it has stood for long, perhaps, but was lost again just now.
NOT_IN_LINE = timedelta(seconds=2 * settings.SAGA_DEADLINE)
LOOKS_AGAIN = (
    4  # times sooner at what may be queueing: a queue is long for a moment, too, when much comes at once
)
A_NEW_DEADLINE = timedelta(seconds=settings.SAGA_DEADLINE / 4)  # less is not worth writing into its index
# No deadline is further away: one that is was written while a clock was wrong.
FURTHEST = timedelta(seconds=settings.SAGA_DEADLINE_CAP + furthest())

# Where this version knows how to go on. In a rolling upgrade others are left to the version that has led an order there.
KNOWN = Q(step__in=FORWARD, undo__in=BACKWARD)


def begun(order: Order) -> Saga:
    """The saga of an order that has just been placed."""
    at = order.placed_at
    return Saga(order=order, step=FORWARD[0], moved_at=at, deadline=_deadline(at))


def moved(saga: Saga | Standing, at: datetime, now: datetime) -> None:
    """It has come further: all trouble is over, parked or not, and the time begins anew.

    ``at`` is what the clock of the service said; ``now`` what all deadlines are measured by, the database's.
    """
    saga.state, saga.attempt, saga.last_error = State.RUNNING, 0, ""
    saga.moved_at, deadline = min(max(saga.moved_at, at), now), _deadline(now)
    if saga.deadline is None or abs(deadline - saga.deadline) > A_NEW_DEADLINE:
        saga.deadline = deadline


def ended(saga: Saga | Standing) -> None:
    saga.state, saga.deadline = State.ENDED, None


def end_of(order_keys: Iterable[int]) -> None:
    """End the sagas of these orders."""
    update(Saga, [{"order_id": key, "state": State.ENDED, "deadline": None} for key in order_keys])


def failed(saga: Saga | Standing, failure: StepFailed, now: datetime) -> None:
    """Give it a time to try again or, after too many attempts, to a person.

    A service that reacts to an event tries again by itself and has said when, so the saga waits a little longer than
    that. A command nobody repeats, and what is no step of the process the saga need not wait for: both are taken up
    again from here. While somebody outside is away nothing is: ``wake_overdue`` knows until when.
    """
    if saga.state == State.ENDED or (saga.undo and failure.operation in FORWARD_OPERATIONS):
        return  # what is being undone needs no step forward any more
    saga.last_error = f"{failure.operation}: {failure.error}"
    if saga.state in Saga.WAIT_FOR_A_PERSON:
        return
    if failure.waits:
        saga.deadline = _deadline(now)
    elif failure.attempt is None or failure.operation not in OPERATIONS:
        saga.attempt += 1
        saga.deadline = next_try(failure.operation, saga.attempt, now=now)
    else:
        saga.attempt = failure.attempt
        patience = timedelta(seconds=settings.SAGA_DEADLINE)
        saga.deadline = failure.retry_at + patience if failure.retry_at else None
    given_up = State.NEEDS_ATTENTION if saga.undo else State.PARKED
    saga.state = State.RUNNING if saga.deadline else given_up
    if saga.state == given_up and failure.attempt is None and failure.origin:
        monitoring.gave_up(failure.origin.task, saga.last_error)


@sweep(every=settings.MESSAGING["POLL_EVERY"])
def wake_overdue() -> int:
    """Publish ``OrderStalled`` for sagas past their deadline. Returns how many; safe to run in many processes.

    What merely queues for a service, or has not even been sent yet, is not stalled: it is looked at again soon, and the
    longer it stands, the later. While messages wait for orders itself, a saga may have moved on without its row saying
    so. But who was overtaken does not queue: what it waits for is lost. And what waits for a service whose provider is
    away is left alone, but for one that finds out whether it is back.
    """
    away = waited_for()
    with recording("orders") as record:
        sagas = list(_overdue(resting=away)[:WOKEN_AT_ONCE])
        for service, found in away.items():
            if found.probe_due:
                sagas += _overdue(only=service).order_by("?")[:1]
        crowded = {*crowded_services()} if sagas else set()
        overtaken = _overtaken(sagas) if crowded else set()
        unsent = not_yet_sent("orders", [saga.order.uuid for saga in sagas])
        silent = []
        for saga in sagas:
            # It has failed, or rested while a provider was away: so it does not queue.
            has_failed = bool(saga.attempt or saga.last_error)
            saga.moved_at = min(saga.moved_at, saga.now)  # else it was written while a clock was wrong
            stalled = saga.now - saga.moved_at
            unsent_yet = saga.order.uuid in unsent
            in_queue = bool({awaited(saga.position).service, "orders"} & crowded) and saga.pk not in overtaken
            patience = stalled if in_queue or unsent_yet else min(stalled, NOT_IN_LINE)
            saga.deadline = _deadline(saga.now, timedelta(0) if has_failed else patience)
            if not has_failed and (unsent_yet or (in_queue and stalled < QUEUES_AT_MOST)):
                saga.deadline = saga.now + (saga.deadline - saga.now) / LOOKS_AGAIN
                continue
            if not has_failed:
                silent.append(saga)
            record.publish(OrderStalled(ref=saga.order.ref, step=saga.position, attempt=saga.attempt))
        update(
            Saga, [{"id": saga.pk, "deadline": saga.deadline, "moved_at": saga.moved_at} for saga in sagas]
        )
        note_silent(silent)
    close_answered()
    return len(record.events)


@when_back
def look_at_all_soon() -> None:
    """A database is back: who has stood still is looked at now, however often that was in vain."""
    stands_still = Now() - timedelta(seconds=settings.SAGA_DEADLINE)
    sagas = Saga.objects.filter(KNOWN, state=State.RUNNING, attempt=0, moved_at__lt=stands_still)
    with only_holding_up("orders"):
        sagas.filter(deadline__gt=Now()).update(deadline=Now())


def _overtaken(sagas: Sequence[Any]) -> set[int]:
    """Those whose order another one of its style has passed that was placed only after this one had come here.

    Queues are worked off in turn; where several workers take from one, it is still the whole way that was faster.
    """
    standing: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for saga in sagas:
        if not saga.undo:
            standing[saga.order.style, saga.step].append(saga)
    overtaken: set[int] = set()
    for (style, step), some in standing.items():
        further = Order.objects.filter(style=style, saga__step__in=FORWARD[FORWARD.index(step) + 1 :])
        later = further.filter(pk__gt=min(saga.order_id for saga in some)).order_by("-pk")
        if newest := later.values_list("placed_at", flat=True).first():
            overtaken |= {saga.pk for saga in some if saga.moved_at < newest}
    return overtaken


def _overdue(*, resting: Collection[str] = (), only: str = "") -> QuerySet[Any]:
    """Sagas past their deadline, locked: none that waits for one of the ``resting`` services, or ``only`` for one.

    Each with ``now``, what the database's clock says.
    """
    due = Q(deadline__lte=Now()) | Q(deadline__gt=Now() + FURTHEST)
    sagas = Saga.objects.select_for_update(skip_locked=True, of=("self",)).select_related("order")
    sagas = sagas.annotate(now=Now()).filter(due, KNOWN, state=State.RUNNING)
    if only:
        sagas = sagas.filter(waiting_for({only}))
    elif resting:
        sagas = sagas.exclude(waiting_for(resting))
    return sagas.order_by("deadline")


def waiting_for(services: Collection[str], saga: str = "") -> Q:
    """The condition that it is one of these services' turn. ``saga``: the way to it, such as ``saga__`` from an order."""
    forward = [position for position in FORWARD if awaited(position).service in services]
    backward = [position for position in BACKWARD[1:] if awaited(position).service in services]
    return Q(**{f"{saga}undo": "", f"{saga}step__in": forward}) | Q(**{f"{saga}undo__in": backward})


def resume(order_ids: Sequence[UUID]) -> int:
    """Take orders that wait up again, now, and all that is parked of them. Returns how many."""
    take_up(order_ids)
    with transaction.atomic(using=alias_of("orders")):
        waiting = Saga.objects.filter(order__uuid__in=order_ids).exclude(state=State.ENDED)
        keys = list(waiting.select_for_update().order_by("order").values_list("pk", flat=True))
        return Saga.objects.filter(pk__in=keys).update(state=State.RUNNING, attempt=0, deadline=Now())


def retry(order_id: UUID, operations: Sequence[str], by: str) -> bool:
    """Try just these operations of an order again, now, their attempts counted anew. Returns False: it has ended.

    The inboxes first: should this process die in between, the order goes on all the same.
    """
    for operation in operations:
        service = service_of(operation)
        table = inbox_of(service)
        rows = table._default_manager.filter(order_id=order_id, receiver=operation).exclude(
            state=table.State.DONE
        )
        send_again(service, list(rows.values_list("pk", flat=True)))
    with recording("orders") as record:
        sagas = Saga.objects.select_for_update(of=("self",)).select_related("order").annotate(now=Now())
        saga = sagas.get(order__uuid=order_id)
        if saga.state == State.ENDED:
            return False
        saga.state, saga.attempt, saga.deadline = State.RUNNING, 0, _deadline(saga.now)
        saga.save(update_fields=["state", "attempt", "deadline"])
        record.publish(OrderStalled(ref=saga.order.ref, step=saga.position, attempt=0, by=by))
    return True


def _deadline(now: datetime, stalled: timedelta = timedelta(0)) -> datetime:
    """When to look after a saga again: the longer it has not moved, the later, so that a backlog is not added to."""
    wait = min(max(stalled.total_seconds(), settings.SAGA_DEADLINE), settings.SAGA_DEADLINE_CAP)
    return now + timedelta(seconds=wait)
