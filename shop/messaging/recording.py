"""The one transaction in which an operation ends: its change, the events that tell of it, the deliveries it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

import msgspec
from celery import current_task
from django.db import transaction

from shop.messaging import journal, origins, outbox
from shop.messaging.events import Event
from shop.messaging.heartbeat import beat
from shop.messaging.inbox import AlreadyHandled
from shop.messaging.points import Point, reach
from shop.messaging.sending import send_on
from shop.messaging.tables import database_of, outbox_of


class Record:
    """Collects the events of one transaction."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, event: Event) -> None:
        self.events.append(msgspec.structs.replace(event, origin=origins.origin(event.ref.id)))


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

    An operation with several transactions publishes for an order only in the last one of that order: then it is confirmed
    in the inbox of the receiver that called it, and not delivered there again. In a task, what was published is sent
    on after the commit; elsewhere (a request, a command) the relay sends it, so that many small ones become sets.

    Raises:
        shop.messaging.inbox.AlreadyHandled: another delivery of the same event got there first; all is rolled back.
    """
    beat()
    database = database_of(outbox_of(service))
    delivery, in_a_task = _answering.get(), bool(current_task)
    answered: list[Event] = []
    with transaction.atomic(using=database):
        record = Record()
        yield record
        receiver = ""
        if delivery and delivery.service == service:
            told = {event.ref.id for event in record.events}
            answered = [event for order_id, event in delivery.open.items() if order_id in told]
            receiver = delivery.receiver
        fresh = outbox.write(service, record.events, receiver=receiver, answered=answered, due=not in_a_task)
        if fresh < len(answered):
            raise AlreadyHandled(f"{receiver} has handled some of these {len(answered)} events before.")
        reach(Point.COMMITTING, record.events)
    reach(Point.COMMITTED, record.events)
    journal.tell(service, record.events)
    origins.led_to((event.ref.id, event.id) for event in record.events)
    if delivery:
        for event in answered:
            del delivery.open[event.ref.id]
    if in_a_task:
        send_on(service, record.events)
