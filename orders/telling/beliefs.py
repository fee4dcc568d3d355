"""What each service believed of an order after one of its events: the timeline replayed until there, not today's rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings

from orders.models import Order, TimelineEntry
from orders.process import (
    BACKWARD,
    ENDS,
    FORWARD,
    MIRROR,
    PROCESS,
    REACHED_BY,
    REFUSED_BY,
    UNDONE_BY,
    status_at,
)
from orders.telling.happenings import REFUSALS
from shipping.events import CancellationRefused
from shop.messaging.events import StepFailed

NOTHING, FAILING = "nothing yet", "failing"
ORDERS = PROCESS[0].service
# The state a service is in after what it has published. That of orders, which hears all, is the order's status.
STATES: dict[str, str] = {
    **{step.done.__name__: step.words for step in PROCESS},
    **{move.done.__name__: move.words for move in MIRROR},
    **{refused.__name__: "refused" for refused in REFUSED_BY},
}
REACHES = {event.__name__: position for event, position in REACHED_BY.items()}
TURNS_TO = {event.__name__: position for event, position in UNDONE_BY.items()}
ENDED_BY = {event.__name__: status for status, event in ENDS.items()}


@dataclass(frozen=True)
class Belief:
    """``state`` in two words; ``since`` the event that led to it, whose text says more. ``is_new``: just now."""

    service: str
    state: str = NOTHING
    since: TimelineEntry | None = None
    is_new: bool = False
    is_bad: bool = False


def beliefs(timeline: Iterable[TimelineEntry], after: UUID) -> list[Belief]:
    """Of each service, after the event with this id. ``timeline``: as it happened."""
    believed = {service: Belief(service) for service in settings.SERVICES}
    step, undo, status = FORWARD[0], "", ""
    for entry in timeline:
        believed = {service: replace(belief, is_new=False) for service, belief in believed.items()}
        if entry.event == StepFailed.__name__:
            believed[entry.service] = Belief(entry.service, FAILING, entry, is_new=True, is_bad=True)
        elif entry.event in STATES and entry.service != ORDERS:
            is_bad = entry.event in REFUSALS
            believed[entry.service] = Belief(entry.service, STATES[entry.event], entry, True, is_bad)
        step = max(step, REACHES.get(entry.event, step), key=FORWARD.index)
        undo = max(undo, TURNS_TO.get(entry.event, undo), key=BACKWARD.index)
        undo = "" if entry.event == CancellationRefused.__name__ else undo
        before = status
        if status not in ENDS:
            until_here = Order.Status.CANCELLING if undo else status_at(step)
            status = ENDED_BY.get(entry.event, until_here)
        if status != before:
            believed[ORDERS] = Belief(ORDERS, str(status), entry, is_new=True)
        if entry.event_id == after:
            break
    return [believed[service] for service in settings.SERVICES]
