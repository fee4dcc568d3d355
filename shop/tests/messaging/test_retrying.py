"""What a relay sends once more: deliveries that failed, what another version published; and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from payments.models import Inbox, Outage, Outbox
from shop.messaging import delivery, outages, relay
from shop.messaging.confirming import is_strange
from shop.messaging.events import Event
from shop.messaging.outcomes import Fault, Outcome
from shop.tests.messaging.samples import LONG_AGO, Rang, ref, store, subscription
from shop.tests.messaging.test_relay import queued

pytestmark = pytest.mark.django_db(databases="__all__")


def broken(events: Sequence[Event]) -> Outcome:
    raise Fault("broken")


@pytest.fixture
def failing(broker: redis.Redis) -> list[Rang]:
    """Three deliveries that have failed and are due."""
    events = [Rang(ref=ref()) for _ in range(3)]
    delivery.receive(subscription(broken), events)
    Outbox.objects.all().delete()
    Inbox.objects.update(due_at=LONG_AGO)
    return events


def in_seconds(row: Inbox) -> float:
    assert row.due_at
    return (row.due_at - timezone.now()).total_seconds()


def test_a_retry_whose_message_is_lost_is_sent_again_soon_and_then_ever_later(
    failing: list[Rang], settings: Any
) -> None:
    settings.MESSAGING = {**settings.MESSAGING, "RESEND_AFTER": 5.0, "RESEND_CAP": 15.0}
    waits = []
    for _ in range(4):
        Inbox.objects.update(due_at=LONG_AGO)
        assert relay.relay_once("payments") == 3
        waits.append(in_seconds(Inbox.objects.all()[0]))
    assert waits == pytest.approx([5, 10, 15, 15], abs=1)


def test_of_several_copies_of_a_retry_one_counts(failing: list[Rang]) -> None:
    relay.relay_once("payments")
    for _ in range(3):
        delivery.receive(subscription(broken), failing, again=True)
    assert set(Inbox.objects.values_list("attempts", "claims")) == {(2, 0)}


def test_what_is_due_too_far_away_was_written_by_a_clock_that_was_wrong(failing: list[Rang]) -> None:
    Inbox.objects.update(due_at=timezone.now() + timedelta(minutes=5))
    assert relay.relay_once("payments") == 0
    Inbox.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert relay.relay_once("payments") == 3


def test_while_a_provider_is_away_one_delivery_finds_out_and_the_others_rest(
    failing: list[Rang], settings: Any
) -> None:
    outages.begin("payments", "The payment provider", "can't be reached")
    assert relay.relay_once("payments") == 0
    Outage.objects.update(probe_at=LONG_AGO)
    assert relay.relay_once("payments") == 1
    settings.OUTAGE_LIMIT = 0.0  # it has lasted too long: each attempt counts again
    assert relay.relay_once("payments") == 2


def test_one_at_a_time_tries_a_provider_that_is_away(db: None) -> None:
    outages.begin("payments", "The payment provider", "can't be reached")
    since = Outage.objects.get().since
    outages.begin("payments", "The payment provider", "did not answer in time")
    assert Outage.objects.get().since == since
    assert not outages.may_probe("payments", "The payment provider")
    Outage.objects.update(probe_at=LONG_AGO)
    assert [outages.may_probe("payments", "The payment provider") for _ in range(3)] == [True, False, False]
    outages.end("payments", "The payment provider")
    assert outages.outages() == {}


def test_an_event_of_a_later_version_waits_for_a_relay_that_knows_it(broker: redis.Redis) -> None:
    """As in a rolling upgrade: nobody here can tell who hears it, so it is neither sent nor confirmed."""
    store(2)
    Outbox.objects.update(type="FromTheFuture")
    assert relay.relay_once("payments") == 0
    assert all(row.due_at and is_strange(row) for row in Outbox.objects.all())
    assert queued("shipping", broker) == []
    Outbox.objects.update(type="PaymentProcessed")  # what it is to one that knows it
    relay.relay_once("payments")
    assert len(queued("shipping", broker)) == 1


def test_a_relay_that_knows_too_few_subscribers_sends_but_confirms_nothing(broker: redis.Redis) -> None:
    store(1)
    Outbox.objects.update(claims=1, type="Rang")  # which nobody hears, as far as this relay knows
    relay.relay_once("payments", confirms=False)
    assert Outbox.objects.get().due_at is not None
    Outbox.objects.update(due_at=LONG_AGO)
    relay.relay_once("payments", confirms=True)
    assert Outbox.objects.get().due_at is None
