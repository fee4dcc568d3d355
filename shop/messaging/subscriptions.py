"""Who hears what. A receiver is a function in an app's ``choreography.py`` (or the orchestrator), marked ``@when``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from shop.messaging import delivery
from shop.messaging.delivery import Reaction, Subscription
from shop.messaging.events import Event, registry
from shop.messaging.tasks import service_of, task

_subscriptions: dict[str, list[Subscription]] = defaultdict(list)


def when(*events: type[Event], style: str | None = None) -> Callable[[Reaction], Reaction]:
    """Connect a receiver to the signals of these event types.

    The receiver gets a sequence of events, at most one per order, and answers with the Outcome of the operation it
    called (None: done for all). It is known as ``<service>.<function>``: called like the operation it calls, it is
    tried again by that one's policy. ``style``: it hears only orders placed in that style.

    Raises:
        TypeError: the service has already a receiver of that name for one of the event types.
    """

    def connect(reaction: Reaction) -> Reaction:
        service = service_of(reaction.__module__)
        name = f"{service}.{reaction.__name__}"
        for event in events:
            if any(known.receiver == name for known in of(event.__name__, service=service)):
                raise TypeError(
                    f"{name} is connected to {event.__name__} twice; the second would never be called."
                )
            subscription = Subscription(event, service, name, style, reaction)
            if not of(event.__name__, service=service):
                _make_delivery_task(service, event)
            _subscriptions[event.__name__].append(subscription)
            event.signal.connect(
                lambda events, again, subscription=subscription, **_: delivery.receive(
                    subscription, events, again=again
                ),
                sender=service,
                weak=False,
                dispatch_uid=f"{name}<-{event.__name__}",
            )
        return reaction

    return connect


def of(event_type: str, *, service: str | None = None, style: str | None = None) -> list[Subscription]:
    """The subscriptions to an event type, of one service or all, for one style or both."""
    return [
        subscription
        for subscription in _subscriptions[event_type]
        if (service is None or subscription.service == service)
        and (style is None or subscription.wants(style))
    ]


def every() -> Iterator[Subscription]:
    for event_type in sorted(registry):
        yield from _subscriptions[event_type]


def task_name(service: str, event_type: str) -> str:
    """The Celery task, in the service's queue, that delivers an event type to the service."""
    return f"{service}.on.{event_type}"


def _make_delivery_task(service: str, event: type[Event]) -> None:
    @task(task_name(service, event.__name__))
    def deliver(payloads: list[dict[str, Any]], again: bool = False) -> None:
        receivers = [sub.receiver for sub in of(event.__name__, service=service)]
        delivery.deliver(service, event, payloads, receivers, again=again)
