"""What is only to be noted: gathered from all outboxes, late rows and all, into few messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import current_app

from payments.models import Outbox
from shop.messaging.gathering import QUEUED, Gathering
from shop.messaging.sending import waiting
from shop.tests.messaging.samples import confirmed_up_to, store
from shop.tests.messaging.test_relay import queued

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def gathering(broker: redis.Redis) -> Iterator[Gathering]:
    store(1)  # ids go on from test to test; what comes next has no gap before it
    confirmed_up_to("payments", Outbox.objects.get().pk)
    with current_app.producer_or_acquire(None) as producer:
        yield Gathering(producer)


def noted(broker: redis.Redis) -> list[set[str]]:
    """The events of each message to be noted, by id."""
    messages: list[Any] = queued("orders", broker)
    return [{payload["id"] for _, payload in message} for message in messages]


def test_events_go_together_and_once(gathering: Gathering, broker: redis.Redis) -> None:
    first = store(3)
    assert gathering.gather(["payments"]) == set()
    second = store(2)
    assert gathering.gather(["payments", "shipping"]) == set()
    assert noted(broker)[::-1] == [{str(event.id) for event in some} for some in (first, second)]
    broker.flushall()
    assert gathering.gather(["payments"]) == set()
    assert noted(broker) == []


def test_a_row_that_is_committed_late_is_found(gathering: Gathering, broker: redis.Redis) -> None:
    events = store(3)
    late = Outbox.objects.get(event_id=events[1].id)
    Outbox.objects.filter(pk=late.pk).delete()
    assert gathering.gather(["payments"]) == {"payments"}  # it will look again
    late.save(force_insert=True)
    gathering.gather(["payments"])
    assert noted(broker)[::-1] == [{str(events[0].id), str(events[2].id)}, {str(events[1].id)}]


def test_while_messages_wait_events_gather_where_they_are(
    gathering: Gathering, broker: redis.Redis, settings: Any
) -> None:
    for _ in range(QUEUED):
        store(1)
        gathering.gather(["payments"])
    store(3)
    assert gathering.gather(["payments"]) == {"payments"}
    assert len(noted(broker)) == QUEUED
    with current_app.producer_or_acquire(None) as producer:
        assert waiting("orders", producer) == QUEUED
    broker.flushall()
    assert gathering.gather(["payments"]) == set()
    assert [len(some) for some in noted(broker)] == [3]
