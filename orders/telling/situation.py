"""How it stands with an order: one ladder, so that the list's badge, the sentence and the page can never disagree."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from orders.models import BY, Order, Saga
from orders.process import awaited
from shop.messaging import brokers
from shop.messaging.incidents import orders_with_incidents
from shop.messaging.outages import Outage, waited_for
from shop.messaging.rows import now_in
from shop.messaging.sending import crowded_services

LATE = timedelta(seconds=5)  # the relay looks every second: what is due for longer, nobody looks after

FINE, WAITING, TROUBLE, UNDONE, DONE = "fine", "waiting", "trouble", "undone", "done"  # levels


class Situation(StrEnum):
    """What stands in its way comes before how far it has come. The value is what people read, two words."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NEEDS_ATTENTION = "needs attention"
    PARKED = "parked"
    PROVIDER_AWAY = "waits for a provider"
    SILENT = "stands still"  # somebody has not reacted in time
    OVERDUE = "not taken up"  # nobody has taken it up when it was time to
    RETRYING = "being tried again"
    QUEUEING = "waits its turn"
    UNDOING = "being undone"
    MOVING = "under way"


LEVELS = {
    Situation.COMPLETED: DONE,
    Situation.CANCELLED: UNDONE,
    Situation.NEEDS_ATTENTION: TROUBLE,
    Situation.PARKED: TROUBLE,
    Situation.PROVIDER_AWAY: WAITING,
    Situation.SILENT: TROUBLE,
    Situation.OVERDUE: TROUBLE,
    Situation.RETRYING: WAITING,
    Situation.QUEUEING: WAITING,
    Situation.UNDOING: UNDONE,
    Situation.MOVING: FINE,
}


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


def situation(order: Order, around: Elsewhere) -> Situation:
    """The one that counts most, of all that are so."""
    saga = order.saga
    if saga.state == Saga.State.ENDED:
        return Situation.CANCELLED if saga.undo else Situation.COMPLETED
    if saga.state == Saga.State.NEEDS_ATTENTION:
        return Situation.NEEDS_ATTENTION
    if saga.state == Saga.State.PARKED:
        return Situation.PARKED
    whom = awaited(saga.position).service
    if whom in around.away:
        return Situation.PROVIDER_AWAY
    if order.uuid in around.silent:
        return Situation.SILENT
    if saga.deadline is None or saga.deadline < around.now - LATE:
        return Situation.OVERDUE
    if saga.attempt or saga.last_error:
        return Situation.RETRYING
    if whom in around.queueing:
        return Situation.QUEUEING
    return Situation.UNDOING if saga.undo else Situation.MOVING


def badge(order: Order, around: Elsewhere) -> tuple[str, str]:
    """(level, two words), for staff and customers."""
    found = situation(order, around)
    return LEVELS[found], order.status if found == Situation.MOVING else found.value


def cancellation(saga: Saga) -> dict[str, str] | None:
    """Why an order is being undone, and who wanted it: `customer`, `staff`, or `shop`, which could not fulfil it.

    None: it is not.
    """
    if not saga.undo:
        return None
    who = saga.reason.removeprefix(BY)
    return {"reason": "", "by": who} if who != saga.reason else {"reason": saga.reason, "by": "shop"}
