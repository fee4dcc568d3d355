"""What a receiver has handled, what it failed at, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.utils import timezone

from shop.messaging.events import Event, to_payload
from shop.messaging.outcomes import in_a_word
from shop.messaging.retries import next_try
from shop.messaging.rows import select
from shop.messaging.tables import CHANNEL, database_of, inbox_of


class AlreadyHandled(Exception):
    """Another delivery of the same event has been confirmed meanwhile; this one must not count."""


def unhandled(service: str, receiver: str, events: Sequence[Event], *, again: bool) -> list[Event]:
    """Those of the events the receiver has still to handle: not done, and not waiting for a person.

    What it failed at waits for its time, whatever else brings the event; ``again`` says that this is it.
    """
    inbox = inbox_of(service)
    rows = select(inbox, ("event_id", "receiver", "state"), "event_id", (event.id for event in events))
    over = {
        event_id
        for event_id, by, state in rows
        if by == receiver and not (again and state == inbox.State.FAILING)
    }
    return [event for event in events if event.id not in over]


def fail(
    service: str, receiver: str, event: Event, error: Exception, *, first: bool = False
) -> tuple[int, datetime | None]:
    """Note a failed attempt in the current transaction: try again after a while, or park it.

    Returns the number of attempts so far, and when it is tried again (None: parked).
    """
    inbox = inbox_of(service)
    row, made = inbox._default_manager.select_for_update().get_or_create(
        event_id=event.id,
        receiver=receiver,
        defaults={
            "type": type(event).__name__,
            "order_id": event.ref.id,
            "number": event.ref.number,
            "state": inbox.State.FAILING,
        },
    )
    if row.state == inbox.State.DONE or (first and not made):
        raise AlreadyHandled(f"{receiver} has handled this event meanwhile.")
    row.attempts += 1
    row.due_at = next_try(receiver, row.attempts)
    row.state = inbox.State.FAILING if row.due_at else inbox.State.PARKED
    row.error = in_a_word(error)
    row.payload = to_payload(event)
    row.save()
    return row.attempts, row.due_at


def park_unreadable(
    service: str, event_type: str, receivers: Sequence[str], payload: Mapping[str, Any], error: str
) -> None:
    """Keep a message that is no event of its type, as sent by another version of the shop, for a person to see."""
    inbox = inbox_of(service)
    order_id, number, *_ = payload["ref"]
    inbox._default_manager.bulk_create(
        (
            inbox(
                event_id=payload["id"],
                receiver=receiver,
                type=event_type,
                order_id=order_id,
                number=number,
                state=inbox.State.PARKED,
                error=error,
                payload=payload,
            )
            for receiver in receivers
        ),
        ignore_conflicts=True,
    )


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
        count = waiting.update(state=inbox.State.FAILING, attempts=0, due_at=timezone.now())
        if count:
            wake_relay(service)
    return count


def wake_relay(service: str) -> None:
    """Have the relays look at this service's rows, as soon as the current transaction is committed."""
    with connections[database_of(inbox_of(service))].cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, service])
