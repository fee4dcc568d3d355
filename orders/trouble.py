"""Where an order is, and why it does not move: the answer in sentences, from its saga and every outbox and inbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from orders.models import Order, Saga
from orders.process import awaited, still_to_do
from orders.saga import waiting_for
from shop.base.spans import ago, until
from shop.messaging.confirming import lacking
from shop.messaging.models import AbstractInbox, AbstractOutbox
from shop.messaging.outages import Outage, waited_for
from shop.messaging.outbox import unconfirmed
from shop.messaging.tables import inbox_of, services

LATE = timedelta(seconds=5)  # the relay looks every second: what is due for longer, nobody looks after
AT_MOST = 20  # rows of one table that are told of

FINE, WAITING, TROUBLE = "fine", "waiting", "trouble"


@dataclass(frozen=True)
class Finding:
    """One sentence of the answer; ``service`` and ``table`` (outbox or inbox) say where the row it is about is."""

    level: str
    text: str
    service: str = ""
    table: str = ""


Away = Mapping[str, Outage]  # by the service whose provider is down, and waited for


def in_short(order: Order, away: Away, now: datetime) -> tuple[str, str]:
    """(level, a few words) for a list: from the order and its saga alone. ``now``: by the clock of their database."""
    saga = order.saga
    if saga.state == Saga.State.PARKED:
        return TROUBLE, f"parked after {_position(saga)}: {saga.last_error or 'waits for a person'}"
    if saga.state == Saga.State.ENDED:
        return FINE, f"at its end{f': {saga.reason}' if saga.reason else ''}"
    waits_for = f"{_position(saga)}, waits for {awaited(saga.position).service}"
    if one := away.get(awaited(saga.position).service):
        return WAITING, f"{waits_for}: {one.in_words}"
    if saga.deadline is None or saga.deadline < now - LATE:
        return TROUBLE, f"{waits_for}, overdue"
    if saga.attempt or saga.last_error:
        error = f": {saga.last_error}" if saga.last_error else ""
        return WAITING, f"{waits_for}, attempt {saga.attempt + 1}{error}"
    return FINE, waits_for


ATTENTION = {
    "parked": "Waits for a person",
    "resting": "Waits for a provider that is down",
    "overdue": "Overdue",
    "retrying": "Being tried again",
    "undoing": "Being undone",
}  # the kinds of orders a person may look for


def needing(kind: str) -> Q:
    """Which orders are of this kind, one of ``ATTENTION``."""
    running, resting = Q(saga__state=Saga.State.RUNNING), waiting_for(waited_for(), "saga__")
    late = Q(saga__deadline=None) | Q(saga__deadline__lt=Now() - LATE)
    return {
        "parked": Q(saga__state=Saga.State.PARKED),
        "resting": running & resting,
        "overdue": running & late & ~resting,
        "retrying": running & (Q(saga__attempt__gt=0) | ~Q(saga__last_error="")) & ~resting,
        "undoing": ~Q(saga__state=Saga.State.ENDED) & ~Q(saga__undo=""),
    }[kind]


def why_it_waits(order: Order, now: datetime) -> list[Finding]:
    """The whole answer, most telling first. ``now``: as for ``in_short``."""
    return [_of_the_saga(order, waited_for(), now), *_failing(order, now), *_unconfirmed(order, now)]


def _of_the_saga(order: Order, away: Away, now: datetime) -> Finding:
    saga = order.saga
    if saga.state == Saga.State.ENDED:
        return Finding(FINE, "The order is at its end: there is nothing left to do.")
    whom = awaited(saga.position).service
    reached = f"It has come as far as “{_position(saga)}”, {ago(saga.moved_at, now)}, and waits for {whom}."
    error = f" The last error was: {saga.last_error}." if saga.last_error else ""
    if saga.state == Saga.State.PARKED:
        return Finding(
            TROUBLE,
            f"It is parked and waits for a person. {reached}{error}{_owed(saga)} Remove the cause, then resume it.",
        )
    if one := away.get(whom):
        return Finding(
            WAITING, f"{one.in_words}. {reached} It goes on by itself once the provider answers again."
        )
    if saga.deadline is None:
        return Finding(
            TROUBLE, f"{reached}{error} Nothing will take it up by itself, as it has no deadline: resume it."
        )
    if saga.deadline < now - LATE:
        return Finding(
            TROUBLE,
            f"{reached}{error} It was to be taken up again {ago(saga.deadline, now)} and was not: is a relay running?",
        )
    again = f"Without progress it is taken up again {until(saga.deadline, now)}"
    if saga.attempt or saga.last_error:
        return Finding(WAITING, f"{reached}{error} {again}, attempt {saga.attempt + 1}.")
    return Finding(FINE, f"{reached} {again}.")


def _failing(order: Order, now: datetime) -> Iterable[Finding]:
    """What a receiver of any service fails at, or has given up."""
    for service in services():
        table = inbox_of(service)
        rows: Iterable[AbstractInbox] = (
            table._default_manager.filter(order_id=order.uuid).exclude(state=table.State.DONE).order_by("id")
        )[:AT_MOST]
        for row in rows:
            what = f"{row.receiver} failed on {row.type}, {_times(row.attempts)}: {row.error or 'no error noted'}."
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


def _owed(saga: Saga) -> str:
    """What an order that is being undone still has coming to it."""
    if not saga.undo:
        return ""
    return f" Still to be done: {', '.join(move.words for move in still_to_do(saga.undo))}."


def _position(saga: Saga) -> str:
    return f"undo: {saga.undo}" if saga.undo else saga.step


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
