"""How a receiver is connected: a function in an app's ``choreography.py`` (or the orchestrator), marked ``@when``."""

from __future__ import annotations

from collections.abc import Callable

from django.db import models

from shop.messaging import delivery, subscriptions
from shop.messaging.events import Event, to_be_noted
from shop.messaging.reactions import expect
from shop.messaging.subscriptions import Reaction, Subscription, noting_task_name, task_name
from shop.messaging.tasks import service_of, task


def when(
    *events: type[Event],
    style: str | None = None,
    noted_in: type[models.Model] | None = None,
    only_sends: bool = False,
    within: float | None = None,
) -> Callable[[Reaction], Reaction]:
    """Connect a receiver to the signals of these event types.

    The receiver gets a sequence of events, at most one per order, and answers with the Outcome of the operation it
    called (None: done for all). It is known as ``<service>.<function>``: called like the operation it calls, it is
    tried again by that one's policy, and expected to react within that one's time. ``style``: it hears only orders
    placed in that style. ``within``: the seconds in which it reacts, if it is no operation (default: ``REACT_WITHIN``).

    ``noted_in``: it only takes note. Its events come a moment later, in sets of all types and of one order as many as
    there are. It stores each in this model, whose ``event_id`` is unique and which serves as its inbox.

    ``only_sends``: it changes nothing and asks nobody outside; the relay that comes upon an event of its own service
    calls it at once, without a message.

    Raises:
        TypeError: the service has already a receiver of that name for one of the event types.
    """

    def connect(reaction: Reaction) -> Reaction:
        service = service_of(reaction.__module__)
        name = f"{service}.{reaction.__name__}"
        if within is not None:
            expect(name, within)
        for event in events:
            if not subscriptions.of(event.__name__, service=service):
                _make_delivery_task(service, event)
            subscription = Subscription(event, service, name, style, reaction, noted_in, only_sends)
            subscriptions.add(subscription)
            event.signal.connect(
                lambda events, subscription=subscription, again=False, first=False, **_: delivery.receive(
                    subscription, events, again=again, first=first
                ),
                sender=service,
                weak=False,
                dispatch_uid=f"{name}<-{event.__name__}",
            )
        if noted_in:
            _make_noting_task(service)
            to_be_noted.connect(
                lambda events, **_: delivery.take_note(subscription, events),
                sender=service,
                weak=False,
                dispatch_uid=name,
            )
        return reaction

    return connect


def _make_delivery_task(service: str, event: type[Event]) -> None:
    @task(task_name(service, event.__name__))
    def deliver(payloads: str, again: bool = False, first: bool = False) -> None:
        delivery.deliver(service, event, payloads, again=again, first=first)


def _make_noting_task(service: str) -> None:
    @task(noting_task_name(service))
    def note(payloads: str) -> None:
        delivery.deliver_to_be_noted(service, payloads)
