"""Commands that nobody has answered in time: orchestration's silent edges. Those of events the relay finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orders.models import Saga, TimelineEntry
from orders.process import REACHED_BY, UNDONE_BY, Move, awaited
from shop.messaging import subscriptions
from shop.messaging.incidents import begin, close, open_incidents
from shop.messaging.queues import LATEST, Queues, Turn
from shop.messaging.reactions import expected_within

CLOSED_AT_ONCE = 1_000
# Which events may have led an order to where it stands.
LEADING_TO: dict[str, set[str]] = {}
for _event, _position in (*REACHED_BY.items(), *UNDONE_BY.items()):
    LEADING_TO.setdefault(_position, set()).add(_event.__name__)


def note_silent(sagas: Sequence[Any]) -> None:
    """Open an incident for each of these sagas, overdue without a failure, that waits for a command for too long.

    Each has ``now``. Where the service hears the event itself nothing was commanded, and the relay looks after it.
    """
    late = [saga for saga in sagas if _age(saga) > _expected_within(saga)]
    if not late:
        return
    turns = _turns({awaited(saga.position) for saga in late})
    late = [
        saga
        for saga in late
        if not turns[awaited(saga.position)].is_still_to_come(
            saga.moved_at.timestamp(), _age(saga), _expected_within(saga)
        )
    ]
    told = {
        (entry.order_id, entry.event): entry
        for entry in TimelineEntry.objects.filter(order__in=[saga.order_id for saga in late])
    }
    begin(
        "orders",
        [
            {
                "event_id": told[saga.order_id, event].event_id,
                "receiver": awaited(saga.position).operation,
                "type": event,
                "style": saga.order.style,
                "order_id": saga.order.uuid,
                "number": saga.order.number,
                "since": saga.moved_at,
                "within": _expected_within(saga),
                "commanded": True,
            }
            for saga in late
            for event in LEADING_TO[saga.position]
            if (saga.order_id, event) in told and not _hears(saga, event)
        ],
    )


def close_answered() -> None:
    """What was answered, or has failed, is silent no more."""
    rows = list(open_incidents("orders").filter(commanded=True)[:CLOSED_AT_ONCE])
    if not rows:
        return
    sagas = Saga.objects.select_related("order").filter(order__uuid__in={row.order_id for row in rows})
    silent = {
        (saga.order.uuid, awaited(saga.position).operation)
        for saga in sagas
        if saga.state == Saga.State.RUNNING and not (saga.attempt or saga.last_error)
    }
    close("orders", [row.pk for row in rows if (row.order_id, row.receiver) not in silent])


def _turns(moves: set[Move]) -> dict[Move, Turn]:
    """How it stands with these commands; what was done of them last, the latest of the timelines tell."""
    queues = Queues({move.service for move in moves})
    told = list(TimelineEntry.objects.order_by("-id").values_list("order_id", "event", "at")[:LATEST])
    turns: dict[Move, Turn] = {}
    for move in moves:
        done = {order for order, event, _ in told if event == move.done.__name__}
        asked = [at.timestamp() for order, event, at in told if order in done and event in _asking(move)]
        turns[move] = queues.turn(move.service, move.operation)._replace(latest=max(asked, default=0.0))
    return turns


def _asking(move: Move) -> set[str]:
    """The events after which a move is the next."""
    return {event for position, events in LEADING_TO.items() if awaited(position) == move for event in events}


def _age(saga: Any) -> float:
    return float((saga.now - saga.moved_at).total_seconds())


def _expected_within(saga: Saga) -> float:
    return expected_within(awaited(saga.position).operation)


def _hears(saga: Saga, event: str) -> bool:
    receivers = subscriptions.of(event, style=saga.order.style)
    return any(sub.receiver == awaited(saga.position).operation for sub in receivers)
