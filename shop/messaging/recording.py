"""The one transaction in which an operation ends: its change, the events that tell of it, the deliveries it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import transaction

from shop.messaging import inbox
from shop.messaging.events import Event, to_payload
from shop.messaging.points import Point, reach
from shop.messaging.tables import database_of, outbox_of


class Record:
    """Collects the events of one transaction."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, event: Event) -> None:
        self.events.append(event)


class Answering:
    """The delivery being answered just now: which event of which order a receiver is reacting to."""

    def __init__(self, service: str, receiver: str, events: dict[UUID, Event]) -> None:
        self.service = service
        self.receiver = receiver
        self.open = events


_answering: ContextVar[Answering | None] = ContextVar("answering", default=None)


@contextmanager
def answering(delivery: Answering) -> Iterator[None]:
    token = _answering.set(delivery)
    try:
        yield
    finally:
        _answering.reset(token)


@contextmanager
def recording(service: str) -> Iterator[Record]:
    """A transaction on the service's database; on leaving, its outbox and inbox rows are written in it.

    An operation with several transactions publishes only in its last one: an order it has published for is confirmed
    in the inbox of the receiver that called it, and not delivered there again.

    Raises:
        shop.messaging.inbox.AlreadyHandled: another delivery of the same event got there first; all is rolled back.
    """
    outbox = outbox_of(service)
    database = database_of(outbox)
    delivery = _answering.get()
    answered: list[Event] = []
    with transaction.atomic(using=database):
        record = Record()
        yield record
        if record.events:
            outbox._default_manager.bulk_create(
                outbox(
                    event_id=event.id,
                    type=type(event).__name__,
                    order_id=event.ref.id,
                    number=event.ref.number,
                    style=event.ref.style,
                    payload=to_payload(event),
                )
                for event in record.events
            )
        if delivery and delivery.service == service:
            told = {event.ref.id for event in record.events}
            answered = [event for order_id, event in delivery.open.items() if order_id in told]
            inbox.confirm(service, delivery.receiver, answered)
        reach(Point.COMMITTING, record.events)
    reach(Point.COMMITTED, record.events)
    if delivery:
        for event in answered:
            del delivery.open[event.ref.id]
