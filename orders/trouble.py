"""Where an order is, and why it does not move: the answer in sentences, from its saga and every outbox, inbox and
incident; queueing is told from trouble."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from orders.models import Order, Saga
from orders.process import awaited, owed
from orders.saga import waiting_for
from shop.base.spans import ago, until
from shop.messaging import brokers
from shop.messaging.confirming import lacking
from shop.messaging.incidents import open_incidents, orders_with_incidents
from shop.messaging.models import AbstractInbox, AbstractOutbox
from shop.messaging.outages import Outage, waited_for
from shop.messaging.outbox import unconfirmed
from shop.messaging.rows import now_in
from shop.messaging.sending import crowded_services
from shop.messaging.tables import inbox_of, services

LATE = timedelta(seconds=5)  # the relay looks every second: what is due for longer, nobody looks after
AT_MOST = 20  # rows of one table that are told of

FINE, WAITING, TROUBLE = "fine", "waiting", "trouble"


@dataclass(frozen=True)
class Finding:
    """One sentence of the answer; ``service`` and ``table`` (outbox, inbox, incident) say where its row is."""

    level: str
    text: str
    service: str = ""
    table: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """What many orders may wait for at once, asked once for all that are shown.

    ``now``: by the clock of orders' database. ``away``: by the service whose provider is down, and waited for.
    ``silent``: orders that somebody has not reacted to in time. ``queueing``: by service, how many messages wait for it,
    where that is many.
    """

    now: datetime
    away: Mapping[str, Outage]
    silent: Collection[UUID]
    queueing: Mapping[str, int]


def elsewhere() -> Elsewhere:
    """As it is now. A broker that is away has no queues."""
    queueing: Mapping[str, int] = {}
    with suppress(*brokers.AWAY):
        queueing = crowded_services()
    return Elsewhere(now_in(Order), waited_for(), orders_with_incidents(), queueing)


def is_overdue(saga: Saga, now: datetime) -> bool:
    """Nobody has taken it up when it was time to."""
    return saga.deadline is None or saga.deadline < now - LATE


def in_short(order: Order, around: Elsewhere) -> tuple[str, str]:
    """(level, a few words) for a list."""
    saga, now = order.saga, around.now
    if saga.state == Saga.State.NEEDS_ATTENTION:
        return TROUBLE, f"{saga.last_error}.{_owed(order)}"
    if saga.state == Saga.State.PARKED:
        return TROUBLE, f"after {_position(saga)}: {saga.last_error or 'waits for a person'}"
    if saga.state == Saga.State.ENDED:
        return FINE, saga.reason
    whom = awaited(saga.position).service
    waits_for = f"{_position(saga)}, waits for {whom}"
    if one := around.away.get(whom):
        return WAITING, f"{waits_for}: {one.in_words}"
    if order.uuid in around.silent:
        return TROUBLE, f"{waits_for}, which is silent"
    if is_overdue(saga, now):
        return TROUBLE, f"{waits_for}, overdue"
    if saga.attempt or saga.last_error:
        error = f": {saga.last_error}" if saga.last_error else ""
        return WAITING, f"{waits_for}, attempt {saga.attempt + 1}{error}"
    if many := around.queueing.get(whom):
        return WAITING, f"{waits_for}, behind {many:,} messages"
    return FINE, waits_for


ATTENTION = {
    "attention": "Needs attention: an undo failed for good",
    "parked": "Waits for a person",
    "silent": "Somebody is silent",
    "resting": "Waits for a provider that is down",
    "overdue": "Overdue",
    "retrying": "Being tried again",
    "undoing": "Being undone",
}  # the kinds of orders a person may look for


def needing(kind: str, around: Elsewhere | None = None) -> Q:
    """Which orders are of this kind, one of ``ATTENTION``. ``around``: where it has been asked for already."""
    if kind == "silent":
        return Q(uuid__in=around.silent if around else orders_with_incidents())
    away = around.away if around else waited_for()
    running, resting = Q(saga__state=Saga.State.RUNNING), waiting_for(away, "saga__")
    late = Q(saga__deadline=None) | Q(saga__deadline__lt=Now() - LATE)
    return {
        "attention": Q(saga__state=Saga.State.NEEDS_ATTENTION),
        "parked": Q(saga__state__in=Saga.WAIT_FOR_A_PERSON),
        "resting": running & resting,
        "overdue": running & late & ~resting,
        "retrying": running & (Q(saga__attempt__gt=0) | ~Q(saga__last_error="")) & ~resting,
        "undoing": ~Q(saga__state=Saga.State.ENDED) & ~Q(saga__undo=""),
    }[kind]


def why_it_waits(order: Order, around: Elsewhere | None = None) -> list[Finding]:
    """The whole answer, most telling first."""
    around = around or elsewhere()
    now = around.now
    return [
        *_silent(order, around),
        _of_the_saga(order, around),
        *_failing(order, now),
        *_unconfirmed(order, now),
    ]


def _of_the_saga(order: Order, around: Elsewhere) -> Finding:
    saga, now = order.saga, around.now
    if saga.state == Saga.State.ENDED:
        return Finding(FINE, "The order is at its end: there is nothing left to do.")
    whom = awaited(saga.position).service
    reached = f"It has come as far as “{_position(saga)}”, {ago(saga.moved_at, now)}, and waits for {whom}."
    cause = f"{saga.last_error.rstrip('.')}. " if saga.last_error else ""
    if saga.state in Saga.WAIT_FOR_A_PERSON:
        what = "is parked and waits for a person"
        if saga.state == Saga.State.NEEDS_ATTENTION:
            what = "needs attention: what undoes it has failed for good"
        text = f"It {what}. {cause}{reached}{_owed(order)} Remove the cause, then resume it."
        return Finding(TROUBLE, text)
    if one := around.away.get(whom):
        return Finding(
            WAITING, f"{one.in_words}. {reached} It goes on by itself once the provider answers again."
        )
    if saga.deadline is None:
        return Finding(
            TROUBLE, f"{cause}{reached} Nothing will take it up by itself, as it has no deadline: resume it."
        )
    if saga.deadline < now - LATE:
        return Finding(
            TROUBLE,
            f"{cause}{reached} It was to be taken up again {ago(saga.deadline, now)} and was not: is a relay running?",
        )
    again = f"Without progress it is taken up again {until(saga.deadline, now)}"
    if saga.attempt or saga.last_error:
        return Finding(WAITING, f"{cause}{reached} {again}, attempt {saga.attempt + 1}.")
    if many := around.queueing.get(whom):
        return Finding(
            WAITING, f"{reached} It may wait its turn there: {many:,} messages are before {whom}. {again}."
        )
    return Finding(WAITING if order.uuid in around.silent else FINE, f"{reached} {again}.")


def _silent(order: Order, around: Elsewhere) -> Iterable[Finding]:
    """Who has not reacted in time."""
    for service in services() if order.uuid in around.silent else ():
        for row in open_incidents(service).filter(order_id=order.uuid).order_by("id")[:AT_MOST]:
            text = (
                f"{row.receiver} is silent: it was to react to {row.type} within {row.within:g} s, and has done nothing "
                f"since {row.since:%d %B, %H:%M:%S} UTC, {ago(row.since, around.now)}."
            )
            yield Finding(TROUBLE, text, service, "incident")


def _failing(order: Order, now: datetime) -> Iterable[Finding]:
    """What a receiver of any service fails at, or has given up."""
    for service in services():
        table = inbox_of(service)
        rows: Iterable[AbstractInbox] = (
            table._default_manager.filter(order_id=order.uuid).exclude(state=table.State.DONE).order_by("id")
        )[:AT_MOST]
        for row in rows:
            tried = (
                f"failed on {row.type}, {_times(row.attempts)}" if row.attempts else f"waits with {row.type}"
            )
            what = f"{row.receiver} {tried}: {(row.error or 'no error noted').rstrip('.')}."
            if row.state == table.State.PARKED:
                then = " It is parked; remove the cause, then send it again."
            elif row.due_at is None or row.due_at < now - LATE:
                then = " It is due to be tried again and is not: is a relay running?"
            else:
                then = f" It is tried again {until(row.due_at, now)}."
            yield Finding(TROUBLE, what + then, service, "inbox")


def _unconfirmed(order: Order, now: datetime) -> Iterable[Finding]:
    """What a service published and not everybody who hears it has."""
    for service in services():
        rows = list(unconfirmed(service).filter(order_id=order.uuid).order_by("id")[:AT_MOST])
        missing = lacking(rows)
        for row in rows:
            if row.event_id in missing:
                receivers = sorted(subscription.receiver for subscription in missing[row.event_id])
                yield _undelivered(row, receivers, service, now)


def _undelivered(row: AbstractOutbox, missing: Sequence[str], service: str, now: datetime) -> Finding:
    whom = " and ".join(missing)
    if row.due_at and row.due_at < now - LATE:
        what = f"{row.type} of {service} is due to be sent to {whom} and is not: is a relay running?"
        return Finding(TROUBLE, what, service, "outbox")
    if row.due_at is None:
        return Finding(FINE, f"{row.type} of {service} is on its way to {whom}.", service, "outbox")
    if not row.claims:
        return Finding(FINE, f"{row.type} of {service} is about to be sent to {whom}.", service, "outbox")
    what = (
        f"{row.type} of {service} was sent {_times(row.claims)}, but {whom} {'has' if len(missing) == 1 else 'have'} "
        f"not confirmed it. It is sent again {until(row.due_at, now)}."
    )
    return Finding(WAITING if row.claims == 1 else TROUBLE, what, service, "outbox")


def _owed(order: Order) -> str:
    """What an order that is being undone still has coming to it, or those who deal with it."""
    saga = order.saga
    found = owed(saga.step, saga.undo) if saga.undo else []
    return f" Owed: {'; '.join(found).format(total=order.total)}." if found else ""


def _position(saga: Saga) -> str:
    return f"undo: {saga.undo}" if saga.undo else saga.step


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
