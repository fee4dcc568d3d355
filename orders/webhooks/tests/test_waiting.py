"""Who is left alone, and for how long, where a customer's server takes nothing."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.outcomes import ATTEMPTS, WAITS
from orders.webhooks.sender import Sender
from orders.webhooks.tests.conftest import Message, Run
from tests.receiver import Receiver

State = WebhookDelivery.State


def tried(*messages: WebhookDelivery) -> bool:
    rows = WebhookDelivery.objects.filter(pk__in=[message.pk for message in messages])
    return not rows.filter(tried_at=None).exists()


def test_who_is_gone_is_told_nothing_any_more(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    receiver.answers["/hook"] = 410
    told = [message(endpoint) for _ in range(3)]
    send(lambda: not WebhookDelivery.objects.filter(state=State.SENDING).exists() and receiver.received)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.reason) == (
        "disabled",
        "It answered that nobody is there any more (410).",
    )
    assert len(receiver.received) <= len(told)
    count = len(receiver.received)
    WebhookDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    turns = iter(range(5))
    Sender(lambda: next(turns, None) is None).run(lambda: None)
    assert len(receiver.received) == count


def test_who_asks_to_be_left_alone_is_and_for_no_longer_than_the_longest_wait(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    receiver.answers["/hook"] = 503
    for asked, wait in (("120", 120.0), ("999999999", 5.0 * max(WAITS))):
        receiver.headers = {"Retry-After": asked}
        WebhookEndpoint.objects.update(resting_until=None, failures=0)
        told = message(endpoint)
        send(lambda told=told: tried(told))  # type: ignore[misc]
        told.refresh_from_db()
        endpoint.refresh_from_db()
        for until in (told.due_at, endpoint.resting_until):
            assert until
            assert told.tried_at
            assert abs((until - told.tried_at).total_seconds() - wait) < 2


def test_when_somebody_is_there_again_what_nobody_was_there_for_is_sent_at_once(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    later = timezone.now() + timedelta(hours=1)
    away, refused, now = (
        message(endpoint, due_at=later),
        message(endpoint, due_at=later, status_code=500),
        message(endpoint),
    )
    WebhookEndpoint.objects.update(failures=3)
    send(lambda: tried(away, now))
    assert {came.id for came in receiver.received} == {away.message_id, now.message_id}
    refused.refresh_from_db()
    assert refused.due_at == later


def test_what_is_never_taken_is_given_up_after_three_days_and_so_is_its_endpoint(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    assert timedelta(days=2.9) < timedelta(seconds=5 * sum(WAITS)) < timedelta(days=3.5)
    receiver.answers["/hook"] = 500
    told = message(endpoint, attempts=ATTEMPTS - 1)
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=3, minutes=1))
    send(lambda: tried(told))
    told.refresh_from_db()
    endpoint.refresh_from_db()
    assert (told.state, told.due_at) == (State.FAILED, None)
    assert endpoint.state == "disabled"
    assert endpoint.reason.endswith("the last time it did not take it (500).")
