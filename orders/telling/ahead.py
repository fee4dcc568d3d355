"""What an order still has before it: what is under way, what fails beside it, what is expected behind it, and by when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings

from orders.models import Order, Saga, TimelineEntry
from orders.process import Move, still_to_do
from orders.telling.happenings import AFTER, PARCELWISE, Happening, Kind, Told
from orders.telling.situation import LEVELS, TROUBLE, Elsewhere, Situation, situation
from shop.base.spans import span
from shop.messaging import subscriptions
from shop.messaging.reactions import expected_within

# Of these nobody can say when they go on.
OPEN = {Situation.PARKED, Situation.NEEDS_ATTENTION, Situation.PROVIDER_AWAY, Situation.QUEUEING}


def happenings(
    order: Order,
    timeline: Iterable[TimelineEntry],
    around: Elsewhere,
    parcels: Mapping[str, str] | None = None,
) -> list[Happening]:
    """All that happened, in the sequence in which it ended, and what is still before the order.

    ``parcels``: the tracking numbers, as far as there are any, by the warehouses it leaves from.
    """
    told = Told(timeline, parcels)
    ahead = [*_ahead(order, told, around)]  # first, as it tells what was given up
    return [*told.happenings(), *ahead]


def _ahead(order: Order, told: Told, around: Elsewhere) -> Iterator[Happening]:
    saga, last = order.saga, told.last
    if saga.state == Saga.State.ENDED or not last:
        return
    found = situation(order, around)
    ahead = [move for move in still_to_do(saga.position) if move.done.__name__ not in told.events]
    happened = {entry.event: entry for entry in told.regular}
    begun = True  # whatever comes first
    by, before = last.at, None
    for move in ahead:
        after = _after(move, before, order.style)
        if begun or all(event in happened for event in after):
            causes = [happened[event] for event in after if event in happened] or [last]
            one = _under_way(order, move, causes, told, found, around.now)
            by = max(by, around.now, saga.deadline or by)
        else:
            by += timedelta(seconds=expected_within(move.operation))
            due = "" if found in OPEN else f"by {_clock(by)} at the latest, if nothing goes wrong"
            one = Happening(
                Kind.EXPECTED,
                move.service,
                move.words,
                around.now,
                None,
                parcels=_parcels(move, told),
                due=due,
                done=move.done.__name__,
                after=after,
            )
        yield one
        begun, before = False, move
    for service, failures in told.failing().items():
        yield Happening(Kind.LATE, service, "failing", failures[0].at, None, failures=failures)


def _under_way(
    order: Order,
    move: Move,
    causes: Sequence[TimelineEntry],
    told: Told,
    found: Situation,
    now: datetime,
) -> Happening:
    if order.saga.undo:
        told.give_up(move.service)
    failures = told.take_failures(move.service)
    began = max(cause.at for cause in causes)
    by = began + timedelta(seconds=expected_within(move.operation))
    late = by < now and found != Situation.QUEUEING
    in_trouble = failures or order.saga.attempt or late or LEVELS[found] == TROUBLE
    return Happening(
        Kind.LATE if in_trouble else Kind.UNDER_WAY,
        move.service,
        _in_words(move),
        began,
        None,
        tuple(cause.event_id for cause in causes),
        failures=failures,
        parcels=_parcels(move, told),
        due=_due(order.saga, found, by, now),
        done=move.done.__name__,
    )


def _after(move: Move, before: Move | None, style: str) -> list[str]:
    """The events after which it is done: those that its service itself hears, or else that of the move before."""
    heard = [
        event
        for event in AFTER.get(move.done.__name__, ())
        if any(sub.receiver == move.operation for sub in subscriptions.of(event, style=style))
    ]
    return heard or ([before.done.__name__] if before else [])


def _due(saga: Saga, found: Situation, by: datetime, now: datetime) -> str:
    """When what is under way is expected."""
    match found:
        case Situation.PARKED | Situation.NEEDS_ATTENTION:
            return "goes on when a person has resumed it"
        case Situation.PROVIDER_AWAY:
            return f"goes on once the provider answers: it is asked every {settings.PROBE_EVERY:g} s"
        case Situation.QUEUEING:
            return "goes on when it is its turn"
        case Situation.RETRYING if saga.deadline and saga.deadline > now:
            return f"taken up again by {_clock(saga.deadline)}, in {span(saga.deadline - now)}"
    late = f", {span(now - by)} ago" if by < now else ""
    return f"{'was expected ' if late else ''}by {_clock(by)}{late}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"


def _parcels(move: Move, told: Told) -> Mapping[str, str]:
    return told.parcels if move.done.__name__ in PARCELWISE else {}


def _in_words(move: Move) -> str:
    return move.operation.partition(".")[2].replace("_", " ")
