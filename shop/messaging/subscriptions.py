"""Who hears what: the receivers that ``when`` has connected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from django.db import models

from shop.messaging.events import Event, registry
from shop.messaging.outcomes import Outcome
from shop.messaging.reactions import expected_within

Reaction = Callable[[Sequence[Any]], Outcome | None]


@dataclass(frozen=True)
class Subscription:
    """One receiver of one event type: the service it belongs to, and the style it is for (None: both).

    ``noted_in``: it only takes note, a moment later, of events of all types at once, and keeps itself what it has
    handled, in this model's ``event_id``. ``only_sends``: it changes nothing, and asks nobody outside.
    """

    event: type[Event]
    service: str
    receiver: str
    style: str | None
    reaction: Reaction
    noted_in: type[models.Model] | None = None
    only_sends: bool = False

    def wants(self, style: str) -> bool:
        return self.style in (None, style)

    @property
    def within(self) -> float:
        """s in which its reaction is expected."""
        return expected_within(self.receiver)


_subscriptions: dict[str, list[Subscription]] = defaultdict(list)


def add(subscription: Subscription) -> None:
    """Make a subscription known.

    Raises:
        TypeError: the service has already a receiver of that name for the event type.
    """
    name, event = subscription.receiver, subscription.event.__name__
    if any(known.receiver == name for known in of(event, service=subscription.service)):
        raise TypeError(f"{name} is connected to {event} twice; the second would never be called.")
    _subscriptions[event].append(subscription)
    _forget()


def remove(subscription: Subscription) -> None:
    """Forget a subscription, as a test does that has added one."""
    _subscriptions[subscription.event.__name__].remove(subscription)
    _forget()


def _forget() -> None:
    _hearing.cache_clear()
    only_sends.cache_clear()


def of(event_type: str, *, service: str | None = None, style: str | None = None) -> list[Subscription]:
    """The subscriptions to an event type, of one service or all, for one style or both."""
    return [
        subscription
        for subscription in _subscriptions[event_type]
        if (service is None or subscription.service == service)
        and (style is None or subscription.wants(style))
    ]


def services_acting_on(event_type: str, style: str) -> tuple[str, ...]:
    """The services in which something is done at once about an event of this type."""
    return _hearing(event_type, style, noting=False)


def services_noting(event_type: str, style: str) -> tuple[str, ...]:
    """The services that only take note of it, a moment later."""
    return _hearing(event_type, style, noting=True)


@cache
def only_sends(service: str, event_type: str, style: str) -> bool:
    """Whether all that this service does at once about an event of this type is to send."""
    acting = [sub for sub in of(event_type, service=service, style=style) if not sub.noted_in]
    return all(sub.only_sends for sub in acting)


def noting_services() -> set[str]:
    """The services that take note of anything."""
    return {sub.service for sub in every() if sub.noted_in}


def every() -> Iterator[Subscription]:
    for event_type in sorted(registry):
        yield from _subscriptions[event_type]


def digest() -> str:
    """The same for two processes that know the same subscribers of the same events, else another."""
    known = sorted(
        f"{event_type} {sub.receiver} {sub.style}"
        for event_type, subs in _subscriptions.items()
        for sub in subs
    )
    return sha256("\n".join([*sorted(registry), *known]).encode()).hexdigest()[:12]


def task_name(service: str, event_type: str) -> str:
    """The Celery task, in the service's queue, that delivers an event type to the service."""
    return f"{service}.on.{event_type}"


def noting_task_name(service: str) -> str:
    """The Celery task, in the service's queue, that delivers what the service only takes note of."""
    return f"{service}.takes_note"


@cache
def _hearing(event_type: str, style: str, *, noting: bool) -> tuple[str, ...]:
    heard_by = (sub.service for sub in of(event_type, style=style) if bool(sub.noted_in) is noting)
    return tuple(dict.fromkeys(heard_by))
