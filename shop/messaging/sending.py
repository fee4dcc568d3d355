"""Messages: sets of events on their way to a service's queue. Each is only a hint to hurry; the outbox has the truth."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from celery import current_app
from django.conf import settings
from kombu import Producer
from kombu.utils.uuid import uuid

from shop.messaging import brokers
from shop.messaging.events import Event
from shop.messaging.origins import SENT
from shop.messaging.subscriptions import noting_task_name, services_acting_on, task_name

logger = logging.getLogger(__name__)

T = TypeVar("T")

MANY = 10  # messages in a queue; fewer are worked off in the few seconds after which anybody asks
SILENCE = 5.0  # s for which nobody tries a broker that is away; the relay sends what was left


class Letter(NamedTuple):
    """An event as it travels: the payload is JSON."""

    type: str
    order_id: UUID
    number: str
    style: str
    payload: str


def letter(event: Event) -> Letter:
    payload = msgspec.json.encode(event).decode()
    return Letter(type(event).__name__, event.ref.id, event.ref.number, event.ref.style, payload)


def send(service: str, letters: Iterable[Letter], producer: Producer | None = None, **how: bool) -> None:
    """Send a service what it acts on: one message per set of events of a type. Raises what the broker raises.

    ``how``: ``again`` if a receiver has failed at them and they are due, ``first`` if nobody has sent them to it before.
    """
    for event_type, some in of_one_type(letters):
        _post(service, task_name(service, event_type), as_list(some), some, producer, how)


def of_one_type(letters: Iterable[Letter]) -> Iterator[tuple[str, list[Letter]]]:
    """Letters as messages carry them: a type, and a set of its events in which no order stands twice."""
    by_type: dict[str, list[Letter]] = defaultdict(list)
    for one in letters:
        by_type[one.type].append(one)
    for event_type, of_type in by_type.items():
        for some in sets(of_type, int(settings.MESSAGING["SET_SIZE"]), lambda one: one.order_id):
            yield event_type, some


def as_list(letters: Iterable[Letter]) -> str:
    """Their payloads, as a JSON list."""
    return f"[{','.join(one.payload for one in letters)}]"


def send_to_be_noted(service: str, letters: Sequence[Letter], producer: Producer | None = None) -> None:
    """Send a service what it only takes note of: events of all types together, those of an order side by side."""
    letters = sorted(letters, key=lambda one: one.order_id)
    size = 4 * int(settings.MESSAGING["SET_SIZE"])
    for start in range(0, len(letters), size):
        some = letters[start : start + size]
        payloads = "[" + ",".join(f'["{one.type}",{one.payload}]' for one in some) + "]"
        _post(service, noting_task_name(service), payloads, some, producer, {})


def _post(
    service: str,
    task: str,
    payloads: str,
    letters: Iterable[Letter],
    producer: Producer | None,
    kwargs: dict[str, Any],
) -> None:
    numbers = ", ".join(dict.fromkeys(one.number for one in letters))
    post(service, uuid(), task, (payloads,), numbers, producer, kwargs=kwargs)


def post(
    service: str,
    id: str,
    task: str,
    args: tuple[Any, ...],
    shown: str,
    producer: Producer | None = None,
    **more: Any,
) -> None:
    """Put a task into a service's queue, as ``send_task`` does it, but without looking up what is known here: that takes
    half its time. ``shown``: its arguments, for people; ``more``: of Celery's protocol. Raises what the broker raises.

    What it refuses, as the queue is full, is as good as lost: it is sent again when no inbox has it. Others have room.
    """
    message = current_app.amqp.as_task_v2(
        id,
        task,
        args=args,
        argsrepr=shown,
        kwargsrepr="",
        ignore_result=True,  # else the sender subscribes to a result that never comes
        **more,
    )
    message.headers[SENT] = round(time.time(), 4)
    with current_app.producer_or_acquire(producer) as producer:
        try:
            producer.publish(
                message.body,
                exchange="",  # straight into the queue, which relay and worker have declared
                routing_key=service,
                mandatory=True,  # where RabbitMQ has no such queue, it says so
                headers=message.headers,
                serializer="json",
                delivery_mode=2,  # persistent
                retry=True,
                retry_policy=current_app.conf.task_publish_retry_policy,
                **message.properties,
            )
        except brokers.REFUSED:
            logger.error("The queue of %s is full: %s will be sent again later.", service, task)


def sets(items: Iterable[T], size: int, order_of: Callable[[T], UUID]) -> Iterator[list[T]]:
    """Cut items into sets of at most ``size`` in which no order stands twice, keeping their sequence."""
    open_sets: list[dict[UUID, T]] = []
    for item in items:
        order = order_of(item)
        for some in open_sets:
            if order not in some and len(some) < size:
                some[order] = item
                break
        else:
            open_sets.append({order: item})
            if len(open_sets) > 1 and len(open_sets[0]) >= size:
                yield list(open_sets.pop(0).values())
    for some in open_sets:
        yield list(some.values())


def waiting(service: str, producer: Producer) -> int:
    """How many messages wait in a service's queue."""
    channel: Any = producer.channel
    queue = current_app.amqp.queues[service]
    declared = channel.queue_declare(
        queue=queue.name,
        passive=settings.BROKER.is_rabbitmq,  # on Redis a queue without messages is not there
        durable=queue.durable,
        auto_delete=queue.auto_delete,
    )
    return int(declared.message_count)


def crowded_services(at_least: int = MANY) -> dict[str, int]:
    """The services in whose queues so many messages wait, with their number: what is late may just wait there.

    Raises what the broker raises.
    """
    with current_app.producer_or_acquire(None) as producer:
        lengths = {service: waiting(service, producer) for service in settings.SERVICES}
    return {service: length for service, length in lengths.items() if length >= at_least}


# --- After the commit, the process that published sends on --------------------------------------------------------

_own: ContextVar[list[Event] | None] = ContextVar("own", default=None)
_silent = {"until": 0.0}


@contextmanager
def keeping_own() -> Iterator[list[Event]]:
    """Within this block ``send_on`` keeps what the service itself acts on, for who runs the block to deliver."""
    kept: list[Event] = []
    token = _own.set(kept)
    try:
        yield kept
    finally:
        _own.reset(token)


def send_on(service: str, events: Sequence[Event]) -> None:
    """Send events, just committed, to the services that act on them. Never raises: the relay is the net."""
    own, others = _own.get(), defaultdict[str, list[Letter]](list)
    for event in events:
        for hearing in services_acting_on(type(event).__name__, event.ref.style):
            if hearing == service and own is not None:
                own.append(event)
            else:
                others[hearing].append(letter(event))
    if not others or time.monotonic() < _silent["until"]:
        return
    try:
        for hearing, letters in others.items():
            send(hearing, letters, first=True)
    except brokers.AWAY as error:
        _silent["until"] = time.monotonic() + SILENCE
        logger.warning("The broker is away; the relay will send what %s has published: %s", service, error)
