"""Who hears what. A receiver is a function in an app's ``choreography.py`` (or the orchestrator), marked ``@when``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from celery import shared_task

from shop.messaging import delivery
from shop.messaging.events import Event, registry
from shop.messaging.outcomes import Outcome

Reaction = Callable[[Sequence[Any]], Outcome | None]


@dataclass(frozen=True)
class Subscription:
    """One receiver of one event type: the service it belongs to, and the style it is for (None: both)."""

    event: type[Event]
    service: str
    receiver: str
    style: str | None
    reaction: Reaction

    def wants(self, style: str) -> bool:
        return self.style in (None, style)


_subscriptions: dict[str, list[Subscription]] = defaultdict(list)


def when(
    *events: type[Event], style: str | None = None, operation: str = ""
) -> Callable[[Reaction], Reaction]:
    """Connect a receiver to the signals of these event types.

    The receiver gets a sequence of events, at most one per order, and answers with the Outcome of the operation it
    called (None: done for all). ``style``: it hears only orders placed in that style. ``operation``: the entry in
    ``settings.RETRIES`` that governs its retries; the receiver's own name by default.

    Raises:
        TypeError: the service has already a receiver of that name for one of the event types.
    """

    def connect(reaction: Reaction) -> Reaction:
        service = reaction.__module__.partition(".")[0]
        name = operation or f"{service}.{reaction.__name__}"
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
    def deliver(payloads: list[dict[str, Any]], again: bool = False) -> None:
        receivers = [sub.receiver for sub in of(event.__name__, service=service)]
        delivery.deliver(service, event, payloads, receivers, again=again)

    shared_task(name=task_name(service, event.__name__), queue=service)(deliver)
