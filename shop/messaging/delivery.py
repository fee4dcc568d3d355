"""The subscriber's side: a message arrives, the signal is sent, and it ends in the inbox with the reaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import transaction

from shop.messaging import inbox
from shop.messaging.events import Event, StepFailed, from_payload
from shop.messaging.outcomes import Outcome, attempt, in_a_word
from shop.messaging.recording import Answering, answering, recording
from shop.messaging.tables import database_of, inbox_of

logger = logging.getLogger(__name__)

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


def deliver(
    service: str,
    event_type: type[Event],
    payloads: Sequence[Mapping[str, Any]],
    receivers: Sequence[str],
    *,
    again: bool = False,
) -> None:
    """Send the event type's signal to one service's receivers, with all events of a message.

    A receiver notes its own failures in its inbox. What it could not even note (no database) is raised here; then
    no inbox has the event and the relay sends it again.
    """
    events = list(_readable(service, event_type, payloads, receivers))
    answers = event_type.signal.send(sender=service, events=events, again=again)
    broken = [answer for _, answer in answers if isinstance(answer, Exception)]
    if broken:
        raise broken[0]


def _readable(
    service: str, event_type: type[Event], payloads: Sequence[Mapping[str, Any]], receivers: Sequence[str]
) -> Iterator[Event]:
    """The events of a message; what can't be read is parked, so that the others need not wait for it."""
    for payload in payloads:
        try:
            yield from_payload(event_type, payload)
        except msgspec.ValidationError as error:
            name = event_type.__name__
            inbox.park_unreadable(service, name, receivers, payload, in_a_word(error))
            logger.error("%s can't read a %s: %s", service, name, error)


def receive(subscription: Subscription, events: Sequence[Event], *, again: bool = False) -> None:
    """One receiver takes its share of a message: what it has not handled, each order with its own outcome."""
    mine = [event for event in events if subscription.wants(event.ref.style)]
    fresh = inbox.unhandled(subscription.service, subscription.receiver, mine, again=again)

    def react(events: Sequence[Event]) -> Outcome:
        delivery = Answering(
            subscription.service, subscription.receiver, {event.ref.id: event for event in events}
        )
        with answering(delivery):
            outcome = subscription.reaction(events) or Outcome()
        broken = {ref.id for ref in outcome.faults}
        # Nothing (more) to tell of these: the reaction was an operation that found its work done, or none to do.
        rest = [event for event in delivery.open.values() if event.ref.id not in broken]
        if rest:
            with transaction.atomic(using=database_of(inbox_of(subscription.service))):
                inbox.confirm(subscription.service, subscription.receiver, rest)
        return outcome

    faults = attempt(react, fresh, lambda event: event.ref).faults
    for event in fresh:
        if event.ref in faults:
            _note_failure(subscription, event, faults[event.ref])


def _note_failure(subscription: Subscription, event: Event, error: Exception) -> None:
    """Keep the message in the inbox to try again or, after too many attempts, for a person; and tell the order why."""
    if isinstance(error, inbox.AlreadyHandled):
        return
    service, receiver = subscription.service, subscription.receiver
    try:
        with recording(service) as record:
            attempts, due_at = inbox.fail(service, receiver, event, error)
            if not isinstance(event, StepFailed):  # else a fault in noting faults would beget faults for ever
                record.publish(
                    StepFailed(
                        ref=event.ref,
                        operation=receiver,
                        error=in_a_word(error),
                        attempt=attempts,
                        retry_at=due_at,
                        parked=due_at is None,
                    )
                )
    except inbox.AlreadyHandled:
        return
    logger.warning("%s failed on %s of %s, attempt %s: %s", receiver, type(event).__name__, event.ref.number, attempts,
                   in_a_word(error))  # fmt: skip
