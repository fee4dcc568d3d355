"""The subscriber's side: a message arrives, the signal is sent, and it ends in the inbox with the reaction."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from celery.utils.dispatch import Signal

from shop.messaging import inbox, monitoring, outbox, subscriptions
from shop.messaging.dead_letters import Unreadable, refuse_too_many
from shop.messaging.events import Event, StepFailed, from_payload, holds_nul, registry, to_be_noted
from shop.messaging.origins import at_work
from shop.messaging.outcomes import Outcome, Unavailable, attempt, in_a_word
from shop.messaging.recording import Answering, answering, recording
from shop.messaging.sending import keeping_own, sets
from shop.messaging.subscriptions import Subscription
from shop.messaging.tracebacks import trace

logger = logging.getLogger(__name__)

T = TypeVar("T")

NUL = "\\u0000"  # as JSON writes it; where it stands, each event is looked at by itself
MOST_IN_A_ROW = 20  # events that a service takes from itself, one because of the other


def deliver(
    service: str, event_type: type[Event], payloads: str, *, again: bool = False, first: bool = False
) -> None:
    """Send the event type's signal to one service's receivers, with all events of a message (a JSON list).

    ``again``: they failed at them, and these are due. ``first``: nobody has sent them to this service before.

    A receiver notes its own failures in its inbox. What it could not even note (no database) is raised here; then
    no inbox has the event and the relay sends it again.

    Raises:
        shop.messaging.dead_letters.Unreadable: this is no list of events.
    """
    refused: list[Unreadable] = []
    try:
        events = msgspec.json.decode(payloads, type=list[event_type])  # type: ignore[valid-type]
        refuse_too_many(len(events))
        clean = NUL not in payloads
    except (msgspec.DecodeError, TypeError, RecursionError):
        clean = False
    if not clean:
        events = list(_readable(service, event_type, _decoded(payloads, list[dict[str, Any]]), refused))
    with taking_own(service):
        _send(event_type.signal, service, events=events, again=again, first=first)
    if refused:  # now that its neighbours are handled
        raise refused[0]


def deliver_to_be_noted(service: str, payloads: str) -> None:
    """Send what a service only takes note of to its receivers: events of all types, a JSON list of [type, payload]."""
    events: list[Event] = []
    refused: list[Unreadable] = []
    for name, raw in _decoded(payloads, list[tuple[str, msgspec.Raw]]):
        if not (
            event_type := registry.get(name)
        ):  # of a later version: sent again, until one of its workers has it
            logger.warning("%s does not know %s yet.", service, ascii(name[:100]))
            continue
        try:
            event = msgspec.json.decode(raw, type=event_type)
        except msgspec.ValidationError:
            event = None
        if event is not None and NUL.encode() not in bytes(raw):
            events.append(event)
            continue
        try:
            events += _readable(service, event_type, [_decoded(raw, dict[str, Any])], refused)
        except Unreadable as error:
            refused.append(error)
    with taking_own(service):
        _send(to_be_noted, service, events=events)
    if refused:
        raise refused[0]


def _decoded(text: str | msgspec.Raw, kind: type[T]) -> T:
    try:
        found = msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, TypeError, RecursionError) as error:
        raise Unreadable(f"It holds no events: {error}") from None
    if isinstance(found, list):
        refuse_too_many(len(found))
    return found


@contextmanager
def taking_own(service: str) -> Iterator[None]:
    """What is published in this block and the service itself acts on, it takes at once, without a message."""
    with keeping_own() as own:
        yield
        for _ in range(MOST_IN_A_ROW):
            if not own:
                return
            events, own[:] = list(own), []
            by_type: dict[type[Event], list[Event]] = defaultdict(list)
            for event in events:
                by_type[type(event)].append(event)
            for event_type, of_type in by_type.items():
                for some in sets(of_type, len(of_type), lambda event: event.ref.id):
                    _send(event_type.signal, service, events=some, first=True)


def _send(signal: Signal, service: str, **arguments: Any) -> None:
    broken = [
        answer for _, answer in signal.send(sender=service, **arguments) if isinstance(answer, Exception)
    ]
    if broken:
        raise broken[0]


def _readable(
    service: str, event_type: type[Event], payloads: Sequence[dict[str, Any]], refused: list[Unreadable]
) -> Iterator[Event]:
    """The events of a message; what can't be read is parked, so that the others need not wait for it.

    What does not even say which order it is about is added to ``refused``.
    """
    name = event_type.__name__
    receivers = [subscription.receiver for subscription in subscriptions.of(name, service=service)]
    for payload in payloads:
        try:
            event = from_payload(event_type, payload)
            if holds_nul(payload):
                raise msgspec.ValidationError("It holds NUL, which no column takes.")
        except msgspec.ValidationError as error:
            try:
                inbox.park_unreadable(service, name, receivers, payload, in_a_word(error))
            except Unreadable as nobodys:
                refused.append(nobodys)
                continue
            logger.error("%s can't read a %s: %s", service, name, error)
            monitoring.broke((), error, parked=True)
        else:
            yield event


def receive(
    subscription: Subscription, events: Sequence[Event], *, again: bool = False, first: bool = False
) -> None:
    """One receiver takes its share of a message: what it has not handled, each order with its own outcome.

    What is sent for the ``first`` time nobody can have handled, so the inbox is not asked. Should the broker double such
    a message all the same, the operation finds its work done, and a second fault is not counted.
    """
    if subscription.noted_in and not again:  # it takes note of them a moment later
        return
    fresh = [event for event in events if subscription.wants(event.ref.style)]
    if not first:
        fresh = inbox.unhandled(subscription.service, subscription.receiver, fresh, again=again)

    def react(events: Sequence[Event]) -> Outcome:
        delivery = Answering(
            subscription.service, subscription.receiver, {event.ref.id: event for event in events}
        )
        with answering(delivery):
            outcome = subscription.reaction(events) or Outcome()
        broken = {ref.id for ref in outcome.faults}
        # Nothing (more) to tell of these: the reaction was an operation that found its work done, or none to do.
        rest = [event for event in delivery.open.values() if event.ref.id not in broken]
        outbox.write(subscription.service, (), receiver=subscription.receiver, answered=rest)
        return outcome

    def react_once(events: Sequence[Event]) -> Outcome:
        try:
            return react(events)
        except inbox.AlreadyHandled:  # the broker has doubled a message: what is left of it is still one set
            rest = inbox.unhandled(subscription.service, subscription.receiver, events, again=again)
            return react(rest) if rest else Outcome()

    requests = {
        event.ref.id: event.origin.request for event in fresh if event.origin and event.origin.request
    }
    with at_work({event.ref.id: event.id for event in fresh}, requests):
        faults = attempt(react_once, fresh, lambda event: event.ref).faults
        broken = [(event, faults[event.ref]) for event in fresh if event.ref in faults]
        _note_failures(subscription, broken, first=first)


def take_note(subscription: Subscription, events: Sequence[Event]) -> None:
    """A receiver that only takes note gets all that its service is to note; the model it notes them in is its inbox."""
    mine = [
        event
        for event in events
        if subscription.wants(event.ref.style)
        and any(
            known.receiver == subscription.receiver
            for known in subscriptions.of(type(event).__name__, service=subscription.service)
        )
    ]
    try:
        _note(subscription, mine)
    except Exception:  # one at a time, to find which it is
        for event in mine:
            try:
                _note(subscription, [event])
            except Exception as error:
                _note_failures(subscription, [(event, error)])


def _note(subscription: Subscription, events: Sequence[Event]) -> None:
    """What the receiver does not want to note is confirmed in the inbox, so that it does not come back for ever."""
    outcome = subscription.reaction(events) or Outcome()
    refused = [event for event in events if event.ref in outcome.refused]
    outbox.write(subscription.service, (), receiver=subscription.receiver, answered=refused)


def _note_failures(
    subscription: Subscription, errors: Sequence[tuple[Event, Exception]], *, first: bool = False
) -> None:
    """Keep the events in the inbox to try again or, after too many attempts, for a person; and tell the orders why."""
    errors = [(event, error) for event, error in errors if not isinstance(error, inbox.AlreadyHandled)]
    if not errors:
        return
    service, receiver = subscription.service, subscription.receiver
    with recording(service) as record:
        noted = inbox.fail(service, receiver, errors, first=first)
        for event, error in errors:
            if failure := noted.get(event.id):
                # A fault in noting faults would beget faults for ever; and that somebody is still away is no news.
                if not isinstance(event, StepFailed) and failure.news:
                    record.publish(_failed(event, receiver, error, failure))
                logger.warning("%s failed on %s of %s, attempt %s: %s", receiver, type(event).__name__,
                               event.ref.number, failure.attempts, in_a_word(error))  # fmt: skip
                monitoring.broke([event.ref.number], error, parked=failure.due_at is None)


def _failed(event: Event, receiver: str, error: Exception, failure: inbox.Failure) -> StepFailed:
    waits = isinstance(error, Unavailable)
    return StepFailed(
        ref=event.ref,
        operation=receiver,
        error=in_a_word(error),
        attempt=failure.attempts,
        retry_at=failure.due_at,
        parked=failure.due_at is None,
        waits=waits,
        trace="" if waits else trace(error),
    )
