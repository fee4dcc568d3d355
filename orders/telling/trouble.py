"""Where an order is, and why it does not move: the answer in sentences, from its saga and every outbox, inbox and
incident; queueing is told from trouble."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from django.db.models import Q
from django.db.models.functions import Now

from orders.models import Order, Saga
from orders.process import OPERATIONS, awaited, owed
from orders.saga import waiting_for
from orders.staff.corrections import CORRECTIONS, helping
from orders.telling.situation import (
    FINE,
    LATE,
    LEVELS,
    TROUBLE,
    WAITING,
    Elsewhere,
    Situation,
    elsewhere,
    situation,
)
from shop.base.spans import ago, span, until
from shop.messaging.confirming import lacking
from shop.messaging.incidents import open_incidents, orders_with_incidents
from shop.messaging.models import AbstractInbox, AbstractOutbox
from shop.messaging.outages import waited_for
from shop.messaging.outbox import unconfirmed
from shop.messaging.tables import inbox_of, services

AT_MOST = 20  # rows of one table that are told of
RESUME = "Remove the cause, then resume it."
OR_ELSE = "Otherwise remove the cause, then resume it."
# What is at its end or on its way is fine; and of one that is silent, who is comes first.
OF_THE_SAGA = dict.fromkeys((Situation.COMPLETED, Situation.CANCELLED, Situation.UNDOING), FINE)
OF_THE_SAGA[Situation.SILENT] = WAITING


@dataclass(frozen=True)
class Finding:
    """One sentence of the answer; ``service`` and ``table`` (outbox, inbox, incident) say where its row is."""

    level: str
    text: str
    service: str = ""
    table: str = ""


def in_short(order: Order, around: Elsewhere) -> tuple[str, str]:
    """(level, a few words) for a list, the cause first: what does not fit there is cut off at its end."""
    saga, found = order.saga, situation(order, around)
    whom = awaited(saga.position).service
    cause, where = _cause(saga), f"{_position(saga)}, waits for {whom}"
    level = FINE if found == Situation.UNDOING else LEVELS[found]
    match found:
        case Situation.COMPLETED | Situation.CANCELLED:
            return FINE, saga.reason
        case Situation.NEEDS_ATTENTION:
            return level, f"{cause}.{_owed(order)}"
        case Situation.PARKED:
            so_far = _position(saga) if saga.undo else f"after {saga.step}"
            return level, f"{cause or 'waits for a person'} ({so_far})"
        case Situation.PROVIDER_AWAY:
            return level, f"{around.away[whom].in_short} ({where})"
        case Situation.RETRYING:
            tried = f"{where}, attempt {saga.attempt + 1}"
            return level, f"{cause} ({tried})" if cause else tried
        case Situation.SILENT:
            return level, f"{where}, which is silent"
        case Situation.OVERDUE:
            return level, f"{where}, overdue"
        case Situation.QUEUEING:
            return level, f"{where}, behind {around.queueing[whom]:,} messages"
        case _:
            return level, where


def _cause(saga: Saga) -> str:
    """Why it failed last, without the operation's name before it."""
    name, _, words = saga.last_error.partition(": ")
    named = words and "." in name and " " not in name
    return (words if named else saga.last_error).rstrip(".")


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
    now, of_the_saga = around.now, _of_the_saga(order, around)
    return [
        *_silent(order, around),
        of_the_saga,
        *_failing(order, around, of_the_saga.text),
        *_unconfirmed(order, now),
    ]


def _of_the_saga(order: Order, around: Elsewhere) -> Finding:
    saga, now, found = order.saga, around.now, situation(order, around)
    whom = awaited(saga.position).service
    waited = f"has waited for {whom} for {span(now - saga.moved_at)}"
    reached = f"It has come as far as “{saga.step}” and {waited}."
    if saga.undo:
        reached = f"It came as far as “{saga.step}”, is being undone ({_why_undone(saga)}) and {waited}."
    failure = failure_in_words(saga.last_error)
    cause = f"{failure}. " if failure else ""
    again = f" Without progress it is taken up again {until(saga.deadline, now)}" if saga.deadline else ""
    match found:
        case Situation.COMPLETED | Situation.CANCELLED:
            text = "The order is at its end: there is nothing left to do."
        case Situation.PARKED:
            why = f": {failure[:1].lower()}{failure[1:]}" if failure else ""
            text = f"It is parked and waits for a person{why}. {reached}{_owed(order)} {_what_helps(order)}"
        case Situation.NEEDS_ATTENTION:
            what = "It needs attention: what undoes it has failed for good."
            text = f"{what} {cause}{reached}{_owed(order)} {RESUME}"
        case Situation.PROVIDER_AWAY:
            away = around.away[whom].in_words
            text = f"{away}. {reached} It goes on by itself once the provider answers again."
        case Situation.OVERDUE if saga.deadline:
            late = ago(saga.deadline, now)
            text = f"{cause}{reached} It was to be taken up again {late} and was not: is a relay running?"
        case Situation.OVERDUE:
            text = f"{cause}{reached} Nothing will take it up by itself, as it has no deadline: resume it."
        case Situation.RETRYING:
            text = f"{cause}{reached}{again}, attempt {saga.attempt + 1}."
        case Situation.QUEUEING:
            many = around.queueing[whom]
            text = f"It waits its turn: {many:,} messages are before {whom}. {reached}{again}."
        case _:
            text = f"{cause}{reached}{again}{'.' if again else ''}"
    return Finding(OF_THE_SAGA.get(found, LEVELS[found]), text)


def _silent(order: Order, around: Elsewhere) -> Iterable[Finding]:
    """Who has not reacted in time; first whom it waits for."""
    waits_for = awaited(order.saga.position).operation
    found: list[tuple[bool, Finding]] = []
    for service in services() if order.uuid in around.silent else ():
        for row in open_incidents(service).filter(order_id=order.uuid).order_by("id")[:AT_MOST]:
            text = (
                f"{row.receiver} is silent: it was to react to {row.type} within {row.within:g} s, and has done nothing "
                f"since {row.since:%d %B, %H:%M:%S} UTC, {ago(row.since, around.now)}. It is asked again by itself. If "
                f"it stays silent, look into the log of the worker of {row.receiver.partition('.')[0]}."
            )
            found.append((row.receiver != waits_for, Finding(TROUBLE, text, service, "incident")))
    return [finding for _, finding in sorted(found, key=itemgetter(0))]


def _failing(order: Order, around: Elsewhere, told: str) -> Iterable[Finding]:
    """What a receiver of any service fails at, or has given up. Why is not said again where ``told`` has it."""
    now = around.now
    for service in services():
        table = inbox_of(service)
        rows: Iterable[AbstractInbox] = (
            table._default_manager.filter(order_id=order.uuid).exclude(state=table.State.DONE).order_by("id")
        )[:AT_MOST]
        for row in rows:
            tried = (
                f"failed on {row.type}, {_times(row.attempts)}" if row.attempts else f"waits with {row.type}"
            )
            error = (row.error or "no error noted").rstrip(".")
            what = f"{row.receiver} {tried}{'' if error in told else f': {error}'}."
            if row.state == table.State.PARKED:
                then = " It is parked: resuming the order sends it again."
            elif row.claims:
                then = " It is being tried again just now, or waits for its worker."
            elif service in around.away:
                then = " It is tried again once the provider answers."
            elif row.due_at is None or row.due_at < now - LATE:
                then = " It is due to be tried again and is not: is a relay running?"
            else:
                then = f" It is tried again {until(row.due_at, now)}."
            waits = service in around.away and row.state != table.State.PARKED
            yield Finding(WAITING if waits else TROUBLE, what + then, service, "inbox")


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


def failure_in_words(error: str) -> str:
    """What a saga keeps of a failed operation, as a sentence without its full stop; empty: nothing has failed."""
    operation, _, why = error.rstrip(". ").partition(": ")
    if why and operation in OPERATIONS:
        return f"{operation.partition('.')[2].replace('_', ' ').capitalize()} failed: {why}"
    return error.rstrip(". ")


def _what_helps(order: Order) -> str:
    """What a person can do about one that is parked."""
    if name := helping(order):
        return (
            f"If the {CORRECTIONS[name].what} is the cause, correct it: it is tried again at once. {OR_ELSE}"
        )
    return RESUME


def _position(saga: Saga) -> str:
    """How far it has come. What an undo has come to is not said: of what was never done it undoes nothing."""
    return f"being undone: {_why_undone(saga)}" if saga.undo else saga.step


def _why_undone(saga: Saga) -> str:
    return saga.reason.rstrip(".") or "its cancellation was asked for"  # and orders has not noted yet by whom


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
