"""What a receiver has handled, what it failed at, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from shop.messaging.dead_letters import Unreadable
from shop.messaging.events import Event, storable, to_payload
from shop.messaging.outcomes import Unavailable, in_a_word
from shop.messaging.retries import next_try
from shop.messaging.rows import insert, select, update
from shop.messaging.tables import CHANNEL, database_of, inbox_of


class AlreadyHandled(Exception):
    """Another delivery of the same event has been confirmed meanwhile; this one must not count."""


def unhandled(service: str, receiver: str, events: Sequence[Event], *, again: bool = False) -> list[Event]:
    """Those of the events the receiver has still to handle: not done, and not waiting for a person.

    What it failed at waits for its time, whatever else brings the event; ``again`` says that this is it. Of several
    copies of such a message the first counts: after it the row waits for its time again, and has not been sent.
    One that was parked without an attempt could not be read; this one can, so what came before was a broken copy of it.
    """
    inbox = inbox_of(service)
    fields = ("event_id", "receiver", "state", "claims", "attempts")
    rows = select(inbox, fields, "event_id", (event.id for event in events))
    over = {
        event_id
        for event_id, by, state, claims, attempts in rows
        if by == receiver
        and not (again and state == inbox.State.FAILING and claims)
        and not (state == inbox.State.PARKED and not attempts)
    }
    return [event for event in events if event.id not in over]


class Failure(NamedTuple):
    """``attempts`` so far, and when it is tried again (None: parked). ``news``: else the same one is still away."""

    attempts: int
    due_at: datetime | None
    news: bool


def fail(
    service: str, receiver: str, errors: Sequence[tuple[Event, Exception]], *, first: bool = False
) -> dict[UUID, Failure]:
    """Note failed attempts in the current transaction: each is tried again after a while, or parked.

    ``first``: nobody can have noted any before. Returns what was noted, by the events' ids: what another delivery has
    settled meanwhile is left out.
    """
    inbox = inbox_of(service)
    noted: dict[UUID, Failure] = {}
    events = {event.id: event for event, _ in errors}
    made = {
        event_id
        for (event_id,) in insert(
            inbox,
            [
                {
                    "event_id": event.id,
                    "receiver": receiver,
                    "type": type(event).__name__,
                    "order_id": event.ref.id,
                    "number": event.ref.number,
                    "state": inbox.State.FAILING,
                }
                for event in sorted(events.values(), key=lambda event: event.id)
            ],
            once=True,
            returning=("event_id",),
        )
    }
    known = inbox._default_manager.filter(receiver=receiver, event_id__in=[*events])
    rows = {row.event_id: row for row in known.annotate(now=Now()).select_for_update().order_by("event_id")}
    for event, error in errors:
        row = rows[event.id]
        if row.state == inbox.State.DONE or (first and event.id not in made):
            continue
        before, row.error = row.error, in_a_word(error)
        row.attempts += 0 if isinstance(error, Unavailable) else 1
        row.claims = 0
        row.due_at = next_try(receiver, row.attempts, error, now=row.now)
        row.state = inbox.State.FAILING if row.due_at else inbox.State.PARKED
        still_away = isinstance(error, Unavailable) and row.error == before
        noted[event.id] = Failure(row.attempts, row.due_at, news=not still_away)
    update(
        inbox,
        [
            {
                "id": rows[event_id].pk,
                "state": rows[event_id].state,
                "attempts": rows[event_id].attempts,
                "claims": 0,
                "due_at": rows[event_id].due_at,
                "error": rows[event_id].error,
                "payload": to_payload(events[event_id]),
            }
            for event_id in noted
        ],
    )
    return noted


def park_unreadable(
    service: str, event_type: str, receivers: Sequence[str], payload: Mapping[str, Any], error: str
) -> None:
    """Keep a message that is no event of its type, as sent by another version of the shop, for a person to see.

    Raises:
        shop.messaging.dead_letters.Unreadable: it does not even say which event of which order it is.
    """
    inbox = inbox_of(service)
    try:
        event_id, (order_id, number, *_) = UUID(payload["id"]), payload["ref"]
        order_id, number = UUID(order_id), str(number)[:32]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unreadable(f"What came as {event_type} names no event and no order.") from None
    row = {"type": event_type, "order_id": order_id, **storable({"number": number, "payload": payload})}
    parked = {"state": inbox.State.PARKED, "due_at": None, "error": error}
    inbox._default_manager.bulk_create(
        (inbox(event_id=event_id, receiver=receiver, **row, **parked) for receiver in receivers),
        ignore_conflicts=True,
    )
    # One that a person has sent again: nothing has changed.
    failing = inbox._default_manager.filter(
        event_id=event_id, receiver__in=receivers, state=inbox.State.FAILING
    )
    failing.update(**parked)


def receivers_that_have(service: str, event_ids: Iterable[UUID]) -> set[tuple[UUID, str]]:
    """Which events which receivers of this service have taken over: handled, or kept to try again."""
    return set(select(inbox_of(service), ("event_id", "receiver"), "event_id", event_ids))


def send_again(service: str, ids: Sequence[int]) -> int:
    """Have the receivers try these rows of the inbox again, now: what a person does about a parked one.

    Rows that are handled stay as they are. Returns how many were not.
    """
    inbox = inbox_of(service)
    with transaction.atomic(using=database_of(inbox)):
        waiting = inbox._default_manager.filter(pk__in=ids).exclude(state=inbox.State.DONE)
        count = waiting.update(state=inbox.State.FAILING, attempts=0, claims=0, due_at=Now())
        if count:
            wake_relay(service)
    return count


def wake_relay(service: str) -> None:
    """Have the relays look at this service's rows, as soon as the current transaction is committed."""
    with connections[database_of(inbox_of(service))].cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, service])
