"""The relay. The broker is a real one; what is in its queues is looked at there."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
import redis
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from inventory.events import InventoryRejected
from orders.models import Inbox as OrdersInbox
from payments.models import Inbox
from payments.models import Outbox as PaymentsOutbox
from shop.messaging import delivery, relay, subscriptions
from shop.messaging.confirming import make_due
from shop.messaging.events import Event
from shop.messaging.outcomes import Fault, Outcome
from shop.messaging.sending import sets
from shop.tests.messaging.samples import LONG_AGO, Rang, ref, store, subscription


def queued(service: str, broker: redis.Redis) -> list[list[dict[str, Any]]]:
    """The sets of events waiting in a service's queue."""
    messages = [json.loads(raw) for raw in broker.lrange(f"shop:{service}", 0, -1)]
    return [json.loads(json.loads(base64.b64decode(message["body"]))[0][0]) for message in messages]


@pytest.mark.django_db(databases="__all__")
def test_the_relay_sends_sets_and_sends_again_what_no_inbox_confirms(
    broker: redis.Redis, settings: Any
) -> None:
    settings.MESSAGING = {**settings.MESSAGING, "SET_SIZE": 3}
    events = store(5)
    assert relay.relay_once("payments") == 5
    assert sorted(len(some) for some in queued("shipping", broker)) == [2, 3]
    assert relay.relay_once("payments") == 0  # not due yet
    broker.flushall()
    make_due("payments", list(PaymentsOutbox.objects.values_list("pk", flat=True)))
    PaymentsOutbox.objects.update(due_at=LONG_AGO)
    relay.relay_once("payments")
    assert sum(len(some) for some in queued("shipping", broker)) == 5
    assert sum(len(some) for some in queued("orders", broker)) == 5  # who only takes note lacks them, too
    assert PaymentsOutbox.objects.exclude(due_at=None).count() == len(events)


@pytest.mark.django_db(databases="__all__")
def test_an_event_that_is_sent_again_is_done_when_every_receiver_has_it(broker: redis.Redis) -> None:
    (event,) = store(event=InventoryRejected, reason="out of stock", skus=[])
    PaymentsOutbox.objects.update(claims=1)
    receivers = [sub.receiver for sub in subscriptions.of("InventoryRejected", style="choreography")]
    assert receivers == ["orders.cancel_order", "orders.note_progress"] or len(receivers) == 2
    for number, receiver in enumerate(receivers):
        relay.relay_once("payments")
        assert len(queued("orders", broker)) == 2 - number
        assert PaymentsOutbox.objects.get().due_at is not None
        OrdersInbox.objects.create(
            event_id=event.id, receiver=receiver, type="InventoryRejected", order_id=event.ref.id
        )
        PaymentsOutbox.objects.update(due_at=LONG_AGO)
        broker.flushall()
    relay.relay_once("payments")
    assert queued("orders", broker) == []
    assert PaymentsOutbox.objects.get().due_at is None


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_relays_never_send_the_same_row(broker: redis.Redis) -> None:
    store(200)
    barrier = threading.Barrier(2)
    counts: list[int] = []

    def run() -> None:
        barrier.wait(10)
        counts.append(relay.relay_once("payments"))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    sent = [event["id"] for some in queued("shipping", broker) for event in some]
    assert sum(counts) == len(sent) == len(set(sent)) == 200


@pytest.mark.django_db(databases="__all__")
def test_a_failing_delivery_is_sent_again_on_its_own_when_it_is_due(broker: redis.Redis) -> None:
    event = Rang(ref=ref())

    def react(events: Sequence[Event]) -> Outcome:
        raise Fault("broken")

    delivery.receive(subscription(react), [event])
    PaymentsOutbox.objects.all().delete()
    assert relay.relay_once("payments") == 0
    Inbox.objects.update(due_at=LONG_AGO)
    assert relay.relay_once("payments") == 1
    assert [one["id"] for some in queued("payments", broker) for one in some] == [str(event.id)]


@given(st.lists(st.integers(0, 6)), st.integers(1, 4))
def test_a_set_is_bounded_and_holds_an_order_once(order_ids: list[int], size: int) -> None:
    items: Any = [(number, order_id) for number, order_id in enumerate(order_ids)]
    cut = list(sets(items, size, lambda item: item[1]))
    assert sorted(items) == sorted(item for some in cut for item in some)
    for some in cut:
        assert 0 < len(some) <= size
        assert len({order_id for _, order_id in some}) == len(some)
